-- From here on all services number a project's events together; the numbers go on behind those that were given here.
insert into bus.event_number as number (project_id, last) select project_id, last from datasets.event_counter
on conflict (project_id) do update set last = greatest(number.last, excluded.last);
