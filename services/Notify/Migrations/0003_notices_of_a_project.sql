-- A project's messages, newest first.
create index notice_project on notify.notice (project, id desc);
