-- When a redelivered command last counted as a lost execution: several within one lease have one cause.
alter table step add column lost_at timestamptz;
