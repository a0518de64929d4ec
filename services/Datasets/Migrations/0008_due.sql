-- Until when somebody should have dealt with an item.
alter table datasets.quarantine_item add column due date;
create index quarantine_item_due on datasets.quarantine_item (due) where due is not null and state = 'open';
