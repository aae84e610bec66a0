-- What left the house of a firm hold, by shipment. A hold may leave in several shipments, each product whole in one.
CREATE TABLE departures (
    shipment_id TEXT PRIMARY KEY,
    reservation_id TEXT NOT NULL,
    lines TEXT NOT NULL
);
CREATE INDEX departures_by_hold ON departures (reservation_id);
INSERT INTO departures (shipment_id, reservation_id, lines)
    SELECT shipment_id, reservation_id, lines FROM holds WHERE status = 'shipped' AND shipment_id IS NOT NULL;
