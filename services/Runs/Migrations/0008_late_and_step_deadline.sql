-- When it was told that the run is late; it is told once.
alter table runs.run add column late_at timestamptz;

-- When the time of a step that waits for something outside is up (its timeout, from the attempt's first execution on).
alter table runs.step add column deadline timestamptz;
