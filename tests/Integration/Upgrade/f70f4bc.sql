--
-- PostgreSQL database dump
--


-- Dumped from database version 15.18 (Debian 15.18-0+deb12u1)
-- Dumped by pg_dump version 15.18 (Debian 15.18-0+deb12u1)

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: bus; Type: SCHEMA; Schema: -; Owner: bus
--

CREATE SCHEMA bus;


ALTER SCHEMA bus OWNER TO bus;

--
-- Name: datasets; Type: SCHEMA; Schema: -; Owner: datasets
--

CREATE SCHEMA datasets;


ALTER SCHEMA datasets OWNER TO datasets;

--
-- Name: pipelines; Type: SCHEMA; Schema: -; Owner: pipelines
--

CREATE SCHEMA pipelines;


ALTER SCHEMA pipelines OWNER TO pipelines;

--
-- Name: runs; Type: SCHEMA; Schema: -; Owner: runs
--

CREATE SCHEMA runs;


ALTER SCHEMA runs OWNER TO runs;

SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: inbox; Type: TABLE; Schema: bus; Owner: bus
--

CREATE TABLE bus.inbox (
    message_id uuid NOT NULL,
    endpoint text NOT NULL,
    received_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);


ALTER TABLE bus.inbox OWNER TO bus;

--
-- Name: migration; Type: TABLE; Schema: bus; Owner: bus
--

CREATE TABLE bus.migration (
    name text NOT NULL,
    hash text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);


ALTER TABLE bus.migration OWNER TO bus;

--
-- Name: outbox; Type: TABLE; Schema: bus; Owner: bus
--

CREATE TABLE bus.outbox (
    id bigint NOT NULL,
    service text NOT NULL,
    message_id uuid NOT NULL,
    type text NOT NULL,
    queue text,
    body json NOT NULL,
    traceparent text,
    endpoints text[],
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    sent_at timestamp with time zone
)
WITH (autovacuum_vacuum_scale_factor='0.02', autovacuum_vacuum_insert_scale_factor='0.1');


ALTER TABLE bus.outbox OWNER TO bus;

--
-- Name: outbox_id_seq; Type: SEQUENCE; Schema: bus; Owner: bus
--

ALTER TABLE bus.outbox ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME bus.outbox_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: timer; Type: TABLE; Schema: bus; Owner: bus
--

CREATE TABLE bus.timer (
    id uuid NOT NULL,
    service text NOT NULL,
    due_at timestamp with time zone NOT NULL,
    queue text NOT NULL,
    type text NOT NULL,
    body json NOT NULL,
    traceparent text
)
WITH (autovacuum_vacuum_scale_factor='0.02');


ALTER TABLE bus.timer OWNER TO bus;

--
-- Name: dataset; Type: TABLE; Schema: datasets; Owner: datasets
--

CREATE TABLE datasets.dataset (
    id uuid NOT NULL,
    project_id uuid NOT NULL,
    project text NOT NULL,
    name text NOT NULL,
    owner text,
    description text,
    latest integer DEFAULT 0 NOT NULL,
    created_at timestamp with time zone NOT NULL
);


ALTER TABLE datasets.dataset OWNER TO datasets;

--
-- Name: event_counter; Type: TABLE; Schema: datasets; Owner: datasets
--

CREATE TABLE datasets.event_counter (
    project_id uuid NOT NULL,
    last bigint NOT NULL
);


ALTER TABLE datasets.event_counter OWNER TO datasets;

--
-- Name: migration; Type: TABLE; Schema: datasets; Owner: datasets
--

CREATE TABLE datasets.migration (
    name text NOT NULL,
    hash text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);


ALTER TABLE datasets.migration OWNER TO datasets;

--
-- Name: read_pin; Type: TABLE; Schema: datasets; Owner: datasets
--

CREATE TABLE datasets.read_pin (
    run_id uuid NOT NULL,
    reference text NOT NULL,
    dataset_id uuid NOT NULL,
    number integer NOT NULL,
    pinned_at timestamp with time zone NOT NULL
);


ALTER TABLE datasets.read_pin OWNER TO datasets;

--
-- Name: upload; Type: TABLE; Schema: datasets; Owner: datasets
--

CREATE TABLE datasets.upload (
    id uuid NOT NULL,
    project text NOT NULL,
    name text NOT NULL,
    key text NOT NULL,
    bytes bigint NOT NULL,
    sha256 text NOT NULL,
    actor text NOT NULL,
    created_at timestamp with time zone NOT NULL
);


ALTER TABLE datasets.upload OWNER TO datasets;

--
-- Name: version; Type: TABLE; Schema: datasets; Owner: datasets
--

CREATE TABLE datasets.version (
    dataset_id uuid NOT NULL,
    number integer NOT NULL,
    run_id uuid,
    step_id text,
    upload_id uuid,
    content jsonb NOT NULL,
    rows bigint NOT NULL,
    bytes bigint NOT NULL,
    quality double precision,
    actor text NOT NULL,
    created_at timestamp with time zone NOT NULL
);


ALTER TABLE datasets.version OWNER TO datasets;

--
-- Name: connection; Type: TABLE; Schema: pipelines; Owner: pipelines
--

CREATE TABLE pipelines.connection (
    id uuid NOT NULL,
    project_id uuid NOT NULL,
    name text NOT NULL,
    type text NOT NULL,
    settings jsonb NOT NULL,
    secrets text,
    revision integer NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    updated_by text NOT NULL
);


ALTER TABLE pipelines.connection OWNER TO pipelines;

--
-- Name: event_counter; Type: TABLE; Schema: pipelines; Owner: pipelines
--

CREATE TABLE pipelines.event_counter (
    project_id uuid NOT NULL,
    last bigint NOT NULL
);


ALTER TABLE pipelines.event_counter OWNER TO pipelines;

--
-- Name: migration; Type: TABLE; Schema: pipelines; Owner: pipelines
--

CREATE TABLE pipelines.migration (
    name text NOT NULL,
    hash text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);


ALTER TABLE pipelines.migration OWNER TO pipelines;

--
-- Name: operator; Type: TABLE; Schema: pipelines; Owner: pipelines
--

CREATE TABLE pipelines.operator (
    kind text NOT NULL,
    major integer NOT NULL,
    minor integer NOT NULL,
    manifest json NOT NULL,
    instance text NOT NULL,
    last_seen timestamp with time zone NOT NULL
);


ALTER TABLE pipelines.operator OWNER TO pipelines;

--
-- Name: pipeline; Type: TABLE; Schema: pipelines; Owner: pipelines
--

CREATE TABLE pipelines.pipeline (
    id uuid NOT NULL,
    project_id uuid NOT NULL,
    name text NOT NULL,
    owner text,
    description text,
    latest integer NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL
);


ALTER TABLE pipelines.pipeline OWNER TO pipelines;

--
-- Name: project; Type: TABLE; Schema: pipelines; Owner: pipelines
--

CREATE TABLE pipelines.project (
    id uuid NOT NULL,
    slug text NOT NULL,
    name text NOT NULL,
    description text,
    time_zone text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    created_by text NOT NULL
);


ALTER TABLE pipelines.project OWNER TO pipelines;

--
-- Name: version; Type: TABLE; Schema: pipelines; Owner: pipelines
--

CREATE TABLE pipelines.version (
    id uuid NOT NULL,
    pipeline_id uuid NOT NULL,
    number integer NOT NULL,
    file_name text NOT NULL,
    text text NOT NULL,
    plan json NOT NULL,
    connections jsonb NOT NULL,
    created_at timestamp with time zone NOT NULL,
    created_by text NOT NULL
);


ALTER TABLE pipelines.version OWNER TO pipelines;

--
-- Name: event; Type: TABLE; Schema: runs; Owner: runs
--

CREATE TABLE runs.event (
    run_id uuid NOT NULL,
    sequence bigint NOT NULL,
    type text NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    body json NOT NULL
);


ALTER TABLE runs.event OWNER TO runs;

--
-- Name: fence; Type: SEQUENCE; Schema: runs; Owner: runs
--

CREATE SEQUENCE runs.fence
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


ALTER TABLE runs.fence OWNER TO runs;

--
-- Name: migration; Type: TABLE; Schema: runs; Owner: runs
--

CREATE TABLE runs.migration (
    name text NOT NULL,
    hash text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);


ALTER TABLE runs.migration OWNER TO runs;

--
-- Name: plan; Type: TABLE; Schema: runs; Owner: runs
--

CREATE TABLE runs.plan (
    version_id uuid NOT NULL,
    body json NOT NULL
);


ALTER TABLE runs.plan OWNER TO runs;

--
-- Name: run; Type: TABLE; Schema: runs; Owner: runs
--

CREATE TABLE runs.run (
    id uuid NOT NULL,
    state text NOT NULL,
    project_id uuid NOT NULL,
    project text NOT NULL,
    pipeline_id uuid NOT NULL,
    pipeline text NOT NULL,
    pipeline_version integer NOT NULL,
    version_id uuid NOT NULL,
    params jsonb NOT NULL,
    day date NOT NULL,
    interval_start timestamp with time zone NOT NULL,
    interval_end timestamp with time zone NOT NULL,
    cause text NOT NULL,
    actor text NOT NULL,
    idempotency_key text,
    request_hash text,
    concurrency integer,
    sequence bigint DEFAULT 0 NOT NULL,
    error jsonb,
    failed_step text,
    created_at timestamp with time zone NOT NULL,
    admitted_at timestamp with time zone,
    started_at timestamp with time zone,
    deadline timestamp with time zone,
    finished_at timestamp with time zone
);


ALTER TABLE runs.run OWNER TO runs;

--
-- Name: state; Type: TABLE; Schema: runs; Owner: runs
--

CREATE TABLE runs.state (
    pipeline_id uuid NOT NULL,
    step_id text NOT NULL,
    value jsonb NOT NULL,
    run_id uuid NOT NULL,
    updated_at timestamp with time zone NOT NULL
);


ALTER TABLE runs.state OWNER TO runs;

--
-- Name: step; Type: TABLE; Schema: runs; Owner: runs
--

CREATE TABLE runs.step (
    run_id uuid NOT NULL,
    step_id text NOT NULL,
    ordinal integer NOT NULL,
    project text NOT NULL,
    operator text NOT NULL,
    state text NOT NULL,
    attempt integer DEFAULT 0 NOT NULL,
    retries integer DEFAULT 0 NOT NULL,
    dispatch integer DEFAULT 0 NOT NULL,
    fence bigint DEFAULT 0 NOT NULL,
    lost integer DEFAULT 0 NOT NULL,
    resends integer DEFAULT 0 NOT NULL,
    worker text,
    command_id uuid,
    lease_until timestamp with time zone,
    ready_at timestamp with time zone,
    dispatched_at timestamp with time zone,
    started_at timestamp with time zone,
    finished_at timestamp with time zone,
    due_at timestamp with time zone,
    progress jsonb,
    deferral jsonb,
    outcome jsonb,
    error jsonb,
    lost_at timestamp with time zone
);


ALTER TABLE runs.step OWNER TO runs;

--
-- Data for Name: inbox; Type: TABLE DATA; Schema: bus; Owner: bus
--

INSERT INTO bus.inbox VALUES
	('01a20592-94d4-7652-b283-96cf5454a7c8', 'runs.saga', '2026-11-22 23:23:42.355096+00'),
	('01a20592-95a0-7af1-9693-73bb15782449', 'runs.saga', '2026-11-22 23:23:42.458035+00'),
	('01a20592-9788-7b77-8d3e-84e078227a76', 'runs.saga', '2026-11-22 23:23:42.914047+00'),
	('01a20592-9abc-79dc-b50f-b83bb3303ea7', 'runs.saga', '2026-11-22 23:23:43.688732+00'),
	('01a20592-9c40-7855-9d69-05f028f1c174', 'runs.saga', '2026-11-22 23:23:44.087415+00'),
	('01a20592-9caf-7038-8ef2-be35e5a72d4e', 'runs.saga', '2026-11-22 23:23:44.177639+00'),
	('01a20592-9d02-778d-b01b-749c5e71b104', 'datasets.events', '2026-11-22 23:23:44.347688+00'),
	('01a20592-c548-7968-9c41-4a911f1b7038', 'runs.saga', '2026-11-22 23:23:54.575985+00'),
	('01a20592-c57f-704a-9fde-671bfddd149e', 'runs.saga', '2026-11-22 23:23:54.624112+00'),
	('01a20592-c5af-7813-84a1-b54e20b39767', 'runs.saga', '2026-11-22 23:23:54.677132+00'),
	('01a20592-d1f9-7cda-aae1-c10808d158b3', 'runs.saga', '2026-11-22 23:23:57.830121+00'),
	('01a20592-d225-7669-9b78-342d588ea72b', 'runs.saga', '2026-11-22 23:23:57.86198+00'),
	('01a20592-d23b-716b-8f18-4740204d4fc0', 'runs.saga', '2026-11-22 23:23:57.884458+00'),
	('01a20592-d246-71e1-989c-2569962478e8', 'runs.saga', '2026-11-22 23:23:57.895039+00'),
	('01a20592-d258-76b5-8dec-5a60613cd6b1', 'runs.saga', '2026-11-22 23:23:57.91356+00'),
	('01a20592-d267-7902-9c76-fc11fc97cc5c', 'runs.saga', '2026-11-22 23:23:57.928312+00'),
	('01a20592-d274-703b-b4bc-a0ae18390018', 'runs.saga', '2026-11-22 23:23:57.941419+00'),
	('01a20592-d27e-74b4-8558-a5d8cc0067f7', 'runs.saga', '2026-11-22 23:23:57.951636+00'),
	('01a20592-d2a7-7ba9-bc1d-bf34ae2d8424', 'runs.saga', '2026-11-22 23:23:57.992696+00');


--
-- Data for Name: migration; Type: TABLE DATA; Schema: bus; Owner: bus
--

INSERT INTO bus.migration VALUES
	('0001_bus.sql', '62c66daafdd809d01dfccef83a9fb9d8eeb227207964b42af79c764983fe8bcc', '2026-11-22 23:23:35.031901+00');


--
-- Data for Name: outbox; Type: TABLE DATA; Schema: bus; Owner: bus
--

INSERT INTO bus.outbox OVERRIDING SYSTEM VALUE VALUES
	(1, 'runs', '01a20592-94d4-7652-b283-96cf5454a7c8', 'Qualiz.Contracts.Runs.V1.AdmitRun, Qualiz.Contracts', 'runs.saga', '{"runId":"01a20592-926a-7ca6-8cb8-e1155ee5d337"}', '00-b70f1e7ce07e38bc8beae3c84bb1192a-53589f05941f7fb3-01', '{runs.saga}', '2026-11-22 23:23:42.248+00', NULL),
	(2, 'runs', '01a20592-95a0-7af1-9693-73bb15782449', 'Qualiz.Contracts.Runs.V1.AdmitRun, Qualiz.Contracts', 'runs.saga', '{"runId":"01a20592-955e-7fe3-a2ab-80b34ecf965c"}', '00-6f8167b2fae460e9fdf89663734a0611-5cbdbd80e06d5e68-01', '{runs.saga}', '2026-11-22 23:23:42.385307+00', NULL),
	(3, 'runs', '01a20592-9d02-778d-b01b-749c5e71b104', 'Qualiz.Contracts.Runs.V1.RunCompleted, Qualiz.Contracts', NULL, '{"project":"old","pipeline":"finished","pipelineId":"01a20592-9136-744d-ab2b-d80e094a8999","pipelineVersion":1,"published":[{"dataset":"names","stepId":"clean","content":{"files":[{"key":"old/01a20592-926a-7ca6-8cb8-e1155ee5d337/clean/4/out-0001.parquet","rows":2,"bytes":912,"sha256":"07a4de0153b4408304732c699d47dc959becb225d02293d4b76265935dad84ed","origin":null}],"schema":{"columns":[{"name":"id","type":"int64","nullable":true,"sensitivity":null,"hidden":false},{"name":"name","type":"text","nullable":false,"sensitivity":null,"hidden":false},{"name":"_source","type":"text","nullable":false,"sensitivity":null,"hidden":true},{"name":"_row","type":"int64","nullable":false,"sensitivity":null,"hidden":true},{"name":"_key","type":"text","nullable":false,"sensitivity":null,"hidden":true}]},"rows":2,"bytes":912},"quality":0.6666666666666667}],"id":"01a20592-9d02-778d-b01b-749c5e71b104","occurredAt":"2026-11-22T23:23:44.2585427+00:00","projectId":"01a20592-8bc6-7d0f-a961-3a1733ab154a","actor":"system","runId":"01a20592-926a-7ca6-8cb8-e1155ee5d337","sequence":7}', '00-b70f1e7ce07e38bc8beae3c84bb1192a-5d80b2e0b22b4110-01', '{datasets.events}', '2026-11-22 23:23:44.27648+00', NULL),
	(4, 'runs', '01a20592-c548-7968-9c41-4a911f1b7038', 'Qualiz.Contracts.Runs.V1.AdmitRun, Qualiz.Contracts', 'runs.saga', '{"runId":"01a20592-c4fe-7860-86de-5db5adfeb911"}', '00-f05998c80b113058b55ec3ac9bb74c25-dd567658cc70e3b1-01', '{runs.saga}', '2026-11-22 23:23:54.571717+00', NULL),
	(5, 'runs', '01a20592-d1f9-7cda-aae1-c10808d158b3', 'Qualiz.Contracts.Runs.V1.AdmitRun, Qualiz.Contracts', 'runs.saga', '{"runId":"01a20592-d1db-7d67-9f97-1c95b83a1515"}', '00-a77963591fc85dab80037226ce4bad26-41bd56f99135055c-01', '{runs.saga}', '2026-11-22 23:23:57.824416+00', NULL);


--
-- Data for Name: timer; Type: TABLE DATA; Schema: bus; Owner: bus
--

INSERT INTO bus.timer VALUES
	('01a20592-c5d4-7476-a44f-df83253b50b9', 'runs', '2026-11-22 23:24:09.670473+00', 'runs.saga', 'Qualiz.Contracts.Runs.V1.ResumeStep, Qualiz.Contracts', '{"runId":"01a20592-c4fe-7860-86de-5db5adfeb911","stepId":"pause","dispatch":1}', '00-f05998c80b113058b55ec3ac9bb74c25-f48437b95fdd3382-01');


--
-- Data for Name: dataset; Type: TABLE DATA; Schema: datasets; Owner: datasets
--

INSERT INTO datasets.dataset VALUES
	('01a20592-9d60-7117-88ca-313c6b3e02c4', '01a20592-8bc6-7d0f-a961-3a1733ab154a', 'old', 'names', NULL, NULL, 1, '2026-11-22 23:23:44.3525+00');


--
-- Data for Name: event_counter; Type: TABLE DATA; Schema: datasets; Owner: datasets
--

INSERT INTO datasets.event_counter VALUES
	('01a20592-8bc6-7d0f-a961-3a1733ab154a', 1);


--
-- Data for Name: migration; Type: TABLE DATA; Schema: datasets; Owner: datasets
--

INSERT INTO datasets.migration VALUES
	('0001_datasets.sql', '2ed281a6a9d4a066342e2a10d2f90f8bce56d12371b3833e4006c2a2090da25a', '2026-11-22 23:23:35.504159+00');


--
-- Data for Name: read_pin; Type: TABLE DATA; Schema: datasets; Owner: datasets
--



--
-- Data for Name: upload; Type: TABLE DATA; Schema: datasets; Owner: datasets
--



--
-- Data for Name: version; Type: TABLE DATA; Schema: datasets; Owner: datasets
--

INSERT INTO datasets.version VALUES
	('01a20592-9d60-7117-88ca-313c6b3e02c4', 1, '01a20592-926a-7ca6-8cb8-e1155ee5d337', 'clean', NULL, '{"rows": 2, "bytes": 912, "files": [{"key": "old/01a20592-926a-7ca6-8cb8-e1155ee5d337/clean/4/out-0001.parquet", "rows": 2, "bytes": 912, "origin": null, "sha256": "07a4de0153b4408304732c699d47dc959becb225d02293d4b76265935dad84ed"}], "schema": {"columns": [{"name": "id", "type": "int64", "hidden": false, "nullable": true, "sensitivity": null}, {"name": "name", "type": "text", "hidden": false, "nullable": false, "sensitivity": null}, {"name": "_source", "type": "text", "hidden": true, "nullable": false, "sensitivity": null}, {"name": "_row", "type": "int64", "hidden": true, "nullable": false, "sensitivity": null}, {"name": "_key", "type": "text", "hidden": true, "nullable": false, "sensitivity": null}]}}', 2, 912, 0.6666666666666667, 'system', '2026-11-22 23:23:44.3525+00');


--
-- Data for Name: connection; Type: TABLE DATA; Schema: pipelines; Owner: pipelines
--



--
-- Data for Name: event_counter; Type: TABLE DATA; Schema: pipelines; Owner: pipelines
--

INSERT INTO pipelines.event_counter VALUES
	('01a20592-8bc6-7d0f-a961-3a1733ab154a', 4);


--
-- Data for Name: migration; Type: TABLE DATA; Schema: pipelines; Owner: pipelines
--

INSERT INTO pipelines.migration VALUES
	('0001_pipelines.sql', '5b7a9ff526a8f454373c7de7d73c68b3eca5fd6864cc0b47e422aef50e58b87a', '2026-11-22 23:23:35.125227+00');


--
-- Data for Name: operator; Type: TABLE DATA; Schema: pipelines; Owner: pipelines
--

INSERT INTO pipelines.operator VALUES
	('wait', 1, 0, '{"kind":"wait","version":"1.0","title":"Wait","description":"Pauses the run for a time or until a moment.","icon":"clock","minInputs":0,"maxInputs":0,"outputs":[],"delta":false,"configSchema":{"type":"object","properties":{"for":{"type":"string","format":"duration","title":"For","description":"How long to wait.","examples":["15m"],"x-order":1},"until":{"type":"string","format":"date-time","title":"Until","description":"The moment to wait for, with its offset.","examples":["2026-11-23T06:00:00Z"],"x-order":2}},"additionalProperties":false},"major":1}', 'vm:10058', '2026-11-22 23:23:36.056571+00'),
	('ingest', 1, 0, '{"kind":"ingest","version":"1.0","title":"Ingest","description":"Reads files of CSV, JSON or Parquet into a dataset; lines that cannot be read are set aside with their reasons.","icon":"download","minInputs":0,"maxInputs":0,"outputs":[{"name":"out","title":"Rows"},{"name":"rejected","title":"Rejected lines"}],"accounts":["rejected"],"delta":false,"configSchema":{"type":"object","properties":{"from":{"type":"object","properties":{"connection":{"type":"string","title":"Connection","description":"A connection to a folder or a bucket, by its name.","format":"connection","examples":["landing"],"x-order":1},"files":{"type":"string","title":"Files","description":"Which files, below the connection or folder: * any name, ** any folders, ? any character.","examples":["shop/2026-11-20/*.csv.gz"],"x-order":2},"folder":{"type":"string","title":"Folder","description":"A folder, or files in it, under a root that the administrator has opened.","examples":["/data/in/*.csv"],"x-order":3},"upload":{"type":"string","title":"Upload","description":"The id of an uploaded file.","examples":["0199b6f2-7e51-7c3d-9a30-5e1f4d8a2b11"],"x-order":4},"store":{"type":"string","title":"Store","description":"Files of this project in the object store, by the beginning of their key.","examples":["imports/"],"x-order":5},"onlyNew":{"type":"boolean","title":"Only new files","description":"Leave out files that a completed run has read already, by path, size and content.","examples":[true],"x-order":6,"default":false}},"additionalProperties":false,"title":"Source","description":"Where the files are: a connection, a folder, an upload or the object store.","examples":[{"connection":"landing","files":"shop/*.csv"}],"x-order":1},"format":{"type":"object","properties":{"type":{"type":"string","enum":["auto","csv","json","jsonl","parquet"],"x-enumTitles":{"auto":"Find out","csv":"CSV","json":"JSON","jsonl":"JSON Lines","parquet":"Parquet"},"title":"Type","description":"The format of the files.","examples":["csv"],"x-order":1,"default":"auto"},"delimiter":{"type":"string","title":"Delimiter","description":"What separates fields: one character, or the word tab.","examples":[";"],"x-visibleIf":{"type":["auto","csv"]},"x-order":2},"header":{"type":"string","enum":["auto","present","absent"],"x-enumTitles":{"auto":"Find out","present":"Yes","absent":"No"},"title":"Header","description":"Whether the first line holds the names of the columns.","examples":["auto"],"x-visibleIf":{"type":["auto","csv"]},"x-order":3,"default":"auto"},"encoding":{"type":"string","enum":["auto","utf-8","latin-1","windows-1252","utf-16","utf-16le","utf-16be"],"x-enumTitles":{"auto":"Find out","utf-8":"UTF-8","latin-1":"Latin-1","windows-1252":"Windows-1252","utf-16":"UTF-16","utf-16le":"UTF-16, little-endian","utf-16be":"UTF-16, big-endian"},"title":"Encoding","description":"How characters are written as bytes.","examples":["auto"],"x-order":4,"default":"auto"},"decimal":{"type":"string","title":"Decimal sign","description":"The sign before the decimals of numbers.","examples":[","],"x-visibleIf":{"type":["auto","csv"]},"x-order":5,"default":"."},"nulls":{"type":"array","items":{"type":"string"},"title":"Null words","description":"Unquoted words that mean \u0022no value\u0022, beside the empty field.","examples":[["NULL","\\N"]],"x-visibleIf":{"type":["auto","csv"]},"x-order":6,"default":[]},"quote":{"type":"string","title":"Quote","description":"What encloses a field that holds delimiters; empty for none.","x-group":"Advanced","examples":["\u0022"],"x-visibleIf":{"type":["auto","csv"]},"x-order":7},"escape":{"type":"string","title":"Escape","description":"What stands before a quote inside quotes; by default the quote itself.","x-group":"Advanced","examples":["\\"],"x-visibleIf":{"type":["auto","csv"]},"x-order":8}},"additionalProperties":false,"title":"Format","description":"How the files are written; what is not said is found out from each file.","examples":[{"type":"csv","decimal":","}],"x-order":2,"default":{"type":"auto","delimiter":null,"header":"auto","encoding":"auto","decimal":".","nulls":[],"quote":null,"escape":null}},"types":{"type":"object","additionalProperties":{"type":"string"},"title":"Types","description":"Types of columns that must not be guessed; a value that does not fit rejects its row.","examples":[{"customer_id":"text","balance":"decimal(18,2)"}],"x-order":3,"default":{}},"key":{"type":"array","items":{"type":"string"},"title":"Key","description":"The columns that identify a row; without them a row is known by its content.","format":"columns","examples":[["customer_id"]],"x-order":4,"default":[]},"onEmpty":{"type":"string","enum":["continue","skip","fail"],"x-enumTitles":{"continue":"Go on","skip":"Skip","fail":"Fail"},"x-enumDescriptions":{"continue":"The step gives an empty dataset.","skip":"The step and what depends on it are skipped."},"title":"When there is nothing","description":"What to do when no file, or no new file, is found.","examples":["continue"],"x-order":5,"default":"continue"},"onSchemaChange":{"type":"string","enum":["add","ignore","fail"],"x-enumTitles":{"add":"Take them","ignore":"Leave them out","fail":"Fail"},"x-enumDescriptions":{"add":"New columns and wider types are taken over.","ignore":"Columns and types stay as they were; values that do not fit reject their row."},"title":"When columns change","description":"What to do when files have other columns or types than in the last run.","examples":["add"],"x-order":6,"default":"add"},"sensitivity":{"type":"object","additionalProperties":{"type":"string"},"title":"Sensitivity","description":"Tags of columns with personal or secret values; they follow the columns.","x-group":"Advanced","examples":[{"email":"personal"}],"x-order":7,"default":{}}},"required":["from"],"additionalProperties":false},"major":1}', 'vm:10058', '2026-11-22 23:23:35.878297+00'),
	('cleanse', 1, 0, '{"kind":"cleanse","version":"1.0","title":"Cleanse","description":"Applies rules to rows, checks them, and sets aside those that fail with their reasons.","icon":"sparkles","minInputs":1,"outputs":[{"name":"out","title":"Clean rows"},{"name":"rejected","title":"Rejected rows"}],"accounts":["rejected","filtered"],"delta":true,"configSchema":{"type":"object","properties":{"rules":{"type":"array","items":{"type":"object","x-discriminator":"rule","oneOf":[{"type":"object","title":"Trim","description":"Takes white space away from both ends.","properties":{"rule":{"const":"trim"},"columns":{"type":["array","string"],"format":"columns","items":{"type":"string"},"title":"Columns","description":"Text columns, or \u0022*\u0022 for all of them.","examples":[["email"]],"x-order":1},"inner":{"type":"boolean","title":"Inner white space","description":"Also make every run of white space inside the text one space.","examples":[true],"x-order":2,"default":false}},"required":["rule","columns"],"additionalProperties":false},{"type":"object","title":"Empty values","description":"Makes words such as N/A empty cells.","properties":{"rule":{"const":"nulls"},"columns":{"type":["array","string"],"format":"columns","items":{"type":"string"},"title":"Columns","description":"Text columns, or \u0022*\u0022 for all of them.","examples":[["email"]],"x-order":1},"values":{"type":"array","items":{"type":"string"},"title":"Words","description":"Words that mean \u0022no value\u0022, e.g. N/A.","examples":[["N/A","-","?"]],"x-order":2,"default":[]},"empty":{"type":"boolean","title":"Empty text too","description":"Empty text means \u0022no value\u0022 too.","x-group":"Advanced","examples":[true],"x-order":3,"default":true},"ignoreCase":{"type":"boolean","title":"Ignore case","description":"Upper and lower case are the same.","x-group":"Advanced","examples":[true],"x-order":4,"default":true}},"required":["rule","columns"],"additionalProperties":false},{"type":"object","title":"Letter case","description":"Writes text in upper, lower or title case.","properties":{"rule":{"const":"case"},"columns":{"type":["array","string"],"format":"columns","items":{"type":"string"},"title":"Columns","description":"Text columns, or \u0022*\u0022 for all of them.","examples":[["email"]],"x-order":1},"to":{"type":"string","enum":["upper","lower","title"],"x-enumTitles":{"upper":"Upper","lower":"Lower","title":"Title"},"title":"Case","description":"upper, lower or title (each word begins with a capital).","examples":["upper"],"x-order":2}},"required":["rule","columns","to"],"additionalProperties":false},{"type":"object","title":"Replace","description":"Replaces values by a list.","properties":{"rule":{"const":"replace"},"columns":{"type":["array","string"],"format":"columns","items":{"type":"string"},"title":"Columns","description":"Text columns, or \u0022*\u0022 for all of them.","examples":[["email"]],"x-order":1},"map":{"type":"object","additionalProperties":{"type":"string"},"title":"Replacements","description":"Old text to new text.","examples":[{"UK":"GB"}],"x-order":2},"match":{"type":"string","enum":["value","part"],"x-enumTitles":{"value":"Value","part":"Part"},"title":"Match","description":"value: the whole value must be equal; part: every occurrence inside the text.","examples":["value"],"x-order":3,"default":"value"},"ignoreCase":{"type":"boolean","title":"Ignore case","description":"Upper and lower case are the same.","x-group":"Advanced","examples":[true],"x-order":4,"default":false}},"required":["rule","columns","map"],"additionalProperties":false},{"type":"object","title":"Regular expression","description":"Replaces what a pattern matches.","properties":{"rule":{"const":"regex"},"columns":{"type":["array","string"],"format":"columns","items":{"type":"string"},"title":"Columns","description":"Text columns, or \u0022*\u0022 for all of them.","examples":[["email"]],"x-order":1},"pattern":{"type":"string","title":"Pattern","description":"A regular expression in RE2 syntax; every match is replaced.","examples":["[^0-9]"],"minLength":1,"maxLength":2000,"x-order":2},"replacement":{"type":"string","title":"Replacement","description":"The new text; \\1 is the first group.","examples":[""],"x-order":3,"default":""}},"required":["rule","columns","pattern"],"additionalProperties":false},{"type":"object","title":"Number","description":"Reads text as numbers.","properties":{"rule":{"const":"number"},"columns":{"type":["array","string"],"format":"columns","items":{"type":"string"},"title":"Columns","description":"Columns to read as numbers.","examples":[["email"]],"x-order":1},"type":{"type":"string","title":"Type","description":"The type they get: int64, decimal(p,s) or double.","examples":["decimal(18,2)"],"x-order":2,"default":"decimal(18,4)"},"decimal":{"type":"string","title":"Decimal separator","description":"The decimal separator.","examples":[","],"minLength":1,"maxLength":1,"x-order":3,"default":"."},"thousands":{"type":"string","title":"Thousands separator","description":"The thousands separator; groups have three digits.","examples":["."],"minLength":1,"maxLength":1,"x-order":4},"remove":{"type":"array","items":{"type":"string"},"title":"Take away","description":"Texts to take away first, e.g. EUR.","x-group":"Advanced","examples":[["EUR"]],"x-order":5,"default":[]},"else":{"type":"string","enum":["keep","null","default","reject","fail"],"x-enumTitles":{"keep":"Keep","null":"Null","default":"Default","reject":"Reject","fail":"Fail"},"title":"Else","description":"What to do when it is no such number, or has more digits than the type holds.","examples":["reject"],"x-order":6,"default":"reject"},"default":{"type":["string","number","boolean"],"title":"Default","description":"The value for else: default.","examples":["0"],"x-visibleIf":{"else":["default"]},"x-order":7}},"required":["rule","columns"],"additionalProperties":false},{"type":"object","title":"Date","description":"Reads text as dates or timestamps.","properties":{"rule":{"const":"date"},"columns":{"type":["array","string"],"format":"columns","items":{"type":"string"},"title":"Columns","description":"Columns to read as dates.","examples":[["email"]],"x-order":1},"formats":{"type":"array","items":{"type":"string"},"title":"Formats","description":"Formats, tried in this order, e.g. yyyy-MM-dd or dd.MM.yyyy HH:mm.","examples":[["yyyy-MM-dd","dd.MM.yyyy"]],"minItems":1,"x-order":2},"to":{"type":"string","enum":["date","timestamp","timestamptz"],"x-enumTitles":{"date":"Date","timestamp":"Timestamp","timestamptz":"Timestamptz"},"title":"Type","description":"The type they get: date, timestamp or timestamptz (read as UTC unless the format has zzz).","examples":["date"],"x-order":3,"default":"date"},"else":{"type":"string","enum":["keep","null","default","reject","fail"],"x-enumTitles":{"keep":"Keep","null":"Null","default":"Default","reject":"Reject","fail":"Fail"},"title":"Else","description":"What to do when no format fits.","examples":["reject"],"x-order":4,"default":"reject"},"default":{"type":["string","number","boolean"],"title":"Default","description":"The value for else: default.","examples":["0"],"x-visibleIf":{"else":["default"]},"x-order":5}},"required":["rule","columns","formats"],"additionalProperties":false},{"type":"object","title":"True or false","description":"Reads words as true or false.","properties":{"rule":{"const":"boolean"},"columns":{"type":["array","string"],"format":"columns","items":{"type":"string"},"title":"Columns","description":"Columns to read as true or false.","examples":[["email"]],"x-order":1},"true":{"type":"array","items":{"type":"string"},"title":"Words for true","description":"Words for true; upper and lower case are the same.","examples":[["yes"]],"minItems":1,"x-order":2,"default":["true","t","yes","y","1","on"]},"false":{"type":"array","items":{"type":"string"},"title":"Words for false","description":"Words for false; upper and lower case are the same.","examples":[["no"]],"minItems":1,"x-order":3,"default":["false","f","no","n","0","off"]},"else":{"type":"string","enum":["keep","null","default","reject","fail"],"x-enumTitles":{"keep":"Keep","null":"Null","default":"Default","reject":"Reject","fail":"Fail"},"title":"Else","description":"What to do with any other word.","examples":["reject"],"x-order":4,"default":"reject"},"default":{"type":["string","number","boolean"],"title":"Default","description":"The value for else: default.","examples":["0"],"x-visibleIf":{"else":["default"]},"x-order":5}},"required":["rule","columns"],"additionalProperties":false},{"type":"object","title":"Fill","description":"Fills empty cells with a value or from another column.","properties":{"rule":{"const":"fill"},"columns":{"type":["array","string"],"format":"columns","items":{"type":"string"},"title":"Columns","description":"Columns whose empty cells are filled.","examples":[["email"]],"x-order":1},"value":{"type":["string","number","boolean"],"title":"Value","description":"The value to fill in.","examples":["unknown"],"x-order":2},"from":{"type":"string","title":"From column","description":"The column to take the value from instead.","format":"column","examples":["country"],"x-order":3}},"required":["rule","columns"],"additionalProperties":false},{"type":"object","title":"Filter","description":"Keeps only the rows for which a condition is true.","properties":{"rule":{"const":"filter"},"where":{"type":"string","title":"Keep where","description":"A row expression; rows for which it is not true leave as filtered, not as rejected.","format":"expression","examples":["status \u003C\u003E \u0027test\u0027"],"minLength":1,"x-order":1}},"required":["rule","where"],"additionalProperties":false},{"type":"object","title":"Derive","description":"Computes a column.","properties":{"rule":{"const":"derive"},"column":{"type":"string","title":"Column","description":"The column to make or to replace.","examples":["full_name"],"minLength":1,"x-order":1},"expression":{"type":"string","title":"Expression","description":"A row expression over the columns.","format":"expression","examples":["first_name || \u0027 \u0027 || last_name"],"minLength":1,"x-order":2},"type":{"type":"string","title":"Type","description":"The column\u0027s type; the expression\u0027s own when left out.","examples":["text"],"x-order":3},"else":{"type":"string","enum":["keep","null","default","reject","fail"],"x-enumTitles":{"keep":"Keep","null":"Null","default":"Default","reject":"Reject","fail":"Fail"},"title":"Else","description":"What to do when the expression cannot be computed for a row.","examples":["reject"],"x-order":4,"default":"reject"},"default":{"type":["string","number","boolean"],"title":"Default","description":"The value for else: default.","examples":["0"],"x-visibleIf":{"else":["default"]},"x-order":5}},"required":["rule","column","expression"],"additionalProperties":false}]},"title":"Rules","description":"What is done to each row, in this order; each rule sees the result of the ones before it.","examples":[[{"rule":"trim","columns":"*"}]],"x-order":1,"default":[]},"checks":{"type":"array","items":{"type":"object","x-discriminator":"check","oneOf":[{"type":"object","title":"Not empty","description":"Cells must have a value.","properties":{"check":{"const":"notNull"},"columns":{"type":["array","string"],"format":"columns","items":{"type":"string"},"title":"Columns","description":"Columns that must have a value.","examples":[["email"]],"x-order":1},"else":{"type":"string","enum":["keep","null","default","reject","fail"],"x-enumTitles":{"keep":"Keep","null":"Null","default":"Default","reject":"Reject","fail":"Fail"},"title":"Else","description":"What to do with a row without one: keep, default, reject or fail.","examples":["reject"],"x-order":2,"default":"reject"},"default":{"type":["string","number","boolean"],"title":"Default","description":"The value for else: default.","examples":["0"],"x-visibleIf":{"else":["default"]},"x-order":3}},"required":["check","columns"],"additionalProperties":false},{"type":"object","title":"Unique","description":"Values occur once.","properties":{"check":{"const":"unique"},"columns":{"type":"array","items":{"type":"string"},"title":"Columns","description":"Columns that together occur once. Rows in which one of them is empty are not compared.","format":"columns","examples":[["customer_id"]],"minItems":1,"x-order":1},"orderBy":{"type":"array","items":{"type":"object","properties":{"column":{"type":"string","title":"Column","description":"The column to sort by; empty cells come last.","format":"column","examples":["updated_at"],"x-order":1},"direction":{"type":"string","enum":["asc","desc"],"x-enumTitles":{"asc":"Asc","desc":"Desc"},"title":"Direction","description":"asc or desc.","examples":["desc"],"x-order":2,"default":"asc"}},"required":["column"],"additionalProperties":false},"title":"First by","description":"Which row is the first and stays; then the order of the source.","examples":[[{"column":"updated_at","direction":"desc"}]],"x-order":2,"default":[]},"else":{"type":"string","enum":["keep","null","default","reject","fail"],"x-enumTitles":{"keep":"Keep","null":"Null","default":"Default","reject":"Reject","fail":"Fail"},"title":"Else","description":"What to do with the other rows: keep, reject or fail.","examples":["reject"],"x-order":3,"default":"reject"}},"required":["check","columns"],"additionalProperties":false},{"type":"object","title":"Range","description":"Values lie between limits.","properties":{"check":{"const":"range"},"columns":{"type":["array","string"],"format":"columns","items":{"type":"string"},"title":"Columns","description":"Number, date, time or timestamp columns.","examples":[["email"]],"x-order":1},"min":{"type":["string","number","boolean"],"title":"Least","description":"The least value allowed.","examples":["0"],"x-order":2},"max":{"type":["string","number","boolean"],"title":"Greatest","description":"The greatest value allowed.","examples":["150"],"x-order":3},"else":{"type":"string","enum":["keep","null","default","reject","fail"],"x-enumTitles":{"keep":"Keep","null":"Null","default":"Default","reject":"Reject","fail":"Fail"},"title":"Else","description":"What to do with a value outside: keep, null, default, reject or fail.","examples":["reject"],"x-order":4,"default":"reject"},"default":{"type":["string","number","boolean"],"title":"Default","description":"The value for else: default.","examples":["0"],"x-visibleIf":{"else":["default"]},"x-order":5}},"required":["check","columns"],"additionalProperties":false},{"type":"object","title":"Pattern","description":"Text matches a regular expression.","properties":{"check":{"const":"pattern"},"columns":{"type":["array","string"],"format":"columns","items":{"type":"string"},"title":"Columns","description":"Text columns, or \u0022*\u0022 for all of them.","examples":[["email"]],"x-order":1},"pattern":{"type":"string","title":"Pattern","description":"A regular expression in RE2 syntax that the whole value must match.","examples":["[A-Z]{2}"],"minLength":1,"maxLength":2000,"x-order":2},"else":{"type":"string","enum":["keep","null","default","reject","fail"],"x-enumTitles":{"keep":"Keep","null":"Null","default":"Default","reject":"Reject","fail":"Fail"},"title":"Else","description":"What to do with a value that does not match: keep, null, default, reject or fail.","examples":["reject"],"x-order":3,"default":"reject"},"default":{"type":["string","number","boolean"],"title":"Default","description":"The value for else: default.","examples":["0"],"x-visibleIf":{"else":["default"]},"x-order":4}},"required":["check","columns","pattern"],"additionalProperties":false},{"type":"object","title":"Row count","description":"The step yields a plausible number of rows.","properties":{"check":{"const":"rowCount"},"min":{"type":"integer","title":"At least","description":"The least number of clean rows.","examples":[1000],"minimum":0,"x-order":1},"max":{"type":"integer","title":"At most","description":"The greatest number of clean rows.","examples":[1000000],"minimum":0,"x-order":2},"else":{"type":"string","enum":["warn","fail"],"x-enumTitles":{"warn":"Warn","fail":"Fail"},"title":"Else","description":"warn or fail.","examples":["reject"],"x-order":3,"default":"fail"}},"required":["check"],"additionalProperties":false}]},"title":"Checks","description":"What is checked after the rules; all of them, so that a row shows all its reasons.","examples":[[{"check":"notNull","columns":["email"],"else":"reject"}]],"x-order":2,"default":[]},"maxRejected":{"type":"string","format":"share","title":"Most rejected rows","description":"The share of rejected rows above which the step fails.","examples":["5%"],"x-order":3}},"additionalProperties":false},"major":1}', 'vm:10058', '2026-11-22 23:23:36.055228+00'),
	('deliver', 1, 0, '{"kind":"deliver","version":"1.0","title":"Deliver","description":"Writes rows to a PostgreSQL table or a file: all or nothing, and once.","icon":"truck","minInputs":1,"maxInputs":1,"outputs":[],"accounts":[],"delta":true,"configSchema":{"type":"object","properties":{"to":{"type":"object","properties":{"connection":{"type":"string","title":"Connection","description":"The name of a PostgreSQL connection.","format":"connection","examples":["dwh"],"x-order":1},"table":{"type":"string","title":"Table","description":"schema.table; without a schema it is public. Made if it is missing.","examples":["marts.customers"],"minLength":1,"x-order":2},"file":{"type":"string","title":"File","description":"A path in one of the allowed folders. The file is replaced as a whole.","examples":["/data/out/customers.csv"],"minLength":1,"x-order":3},"store":{"type":"string","title":"Object","description":"A name among the project\u0027s exports in the object store. The object is replaced as a whole.","examples":["daily/customers.parquet"],"minLength":1,"x-order":4}},"additionalProperties":false,"title":"Target","description":"A table of a connection, a file in an allowed folder, or a file in the object store.","examples":[{"connection":"dwh","table":"marts.customers"}],"x-order":1},"mode":{"type":"string","enum":["append","replace","upsert"],"x-enumTitles":{"append":"Append","replace":"Replace","upsert":"Upsert"},"title":"Mode","description":"append adds rows, replace puts these rows in place of all others, upsert inserts or updates by key.","examples":["upsert"],"x-order":2,"default":"append"},"key":{"type":"array","items":{"type":"string"},"title":"Key","description":"The columns that identify a row; the table must have a unique key on them.","format":"columns","examples":[["entity_id"]],"x-visibleIf":{"mode":["upsert"]},"x-order":3,"default":[]},"maxShrink":{"type":"string","format":"share","title":"Greatest shrink","description":"The share of rows that replace may take away; above it the table stays as it is and the step fails.","examples":["50%"],"x-visibleIf":{"mode":["replace"]},"x-order":4,"default":"50%"},"onSchemaChange":{"type":"string","enum":["add","ignore","fail"],"x-enumTitles":{"add":"Add","ignore":"Ignore","fail":"Fail"},"title":"New columns","description":"What to do with columns that the table lacks: add them, leave them out, or fail.","examples":["add"],"x-order":5,"default":"fail"},"format":{"type":"object","properties":{"type":{"type":"string","enum":["csv","jsonLines","json","parquet"],"x-enumTitles":{"csv":"Csv","jsonLines":"Json lines","json":"Json","parquet":"Parquet"},"title":"Type","description":"csv, jsonLines, json or parquet.","examples":["csv"],"x-order":1},"delimiter":{"type":"string","title":"Delimiter","description":"What stands between the cells of a CSV file.","examples":[";"],"minLength":1,"maxLength":1,"x-visibleIf":{"type":["csv"]},"x-order":2,"default":","},"header":{"type":"boolean","title":"Header","description":"The first line of a CSV file names the columns.","examples":[true],"x-visibleIf":{"type":["csv"]},"x-order":3,"default":true},"gzip":{"type":"boolean","title":"Compress","description":"Compresses CSV and JSON with gzip; by default when the name ends with .gz.","examples":[true],"x-order":4}},"required":["type"],"additionalProperties":false,"title":"File format","description":"The form of a file; by default what its name ends with says.","examples":[{"type":"csv","delimiter":";"}],"x-order":6},"hidden":{"type":"boolean","title":"Row identity too","description":"Also delivers _source, _row and _key.","x-group":"Advanced","examples":[false],"x-order":7,"default":false},"deliverySchema":{"type":"string","title":"Schema of the delivery records","description":"Where the table qualiz_delivery lies; by default beside the target.","x-group":"Advanced","examples":["qualiz"],"x-order":8},"lockTimeout":{"type":"string","format":"duration","title":"Wait for locks","description":"How long to wait while somebody else holds the table; then the step is tried again later.","x-group":"Advanced","examples":["1m"],"x-order":9,"default":"1m"},"statementTimeout":{"type":"string","format":"duration","title":"Longest statement","description":"After this time a statement counts as stuck and the step is tried again later.","x-group":"Advanced","examples":["30m"],"x-order":10,"default":"30m"}},"required":["to"],"additionalProperties":false},"major":1}', 'vm:10058', '2026-11-22 23:23:36.056376+00'),
	('log', 1, 0, '{"kind":"log","version":"1.0","title":"Log","description":"Writes a message to the run\u0027s log.","icon":"message","minInputs":0,"maxInputs":0,"outputs":[],"delta":false,"configSchema":{"type":"object","properties":{"message":{"type":"string","title":"Message","description":"The text to write; ${...} is filled in.","examples":["Rejected so far: ${clean.rejected}"],"minLength":1,"maxLength":4000,"x-order":1},"level":{"type":"string","enum":["info","warning"],"x-enumTitles":{"info":"Information","warning":"Warning"},"title":"Level","description":"How the line is marked in the log.","examples":["info"],"x-order":2,"default":"info"}},"required":["message"],"additionalProperties":false},"major":1}', 'vm:10058', '2026-11-22 23:23:36.056518+00');


--
-- Data for Name: pipeline; Type: TABLE DATA; Schema: pipelines; Owner: pipelines
--

INSERT INTO pipelines.pipeline VALUES
	('01a20592-9136-744d-ab2b-d80e094a8999', '01a20592-8bc6-7d0f-a961-3a1733ab154a', 'finished', NULL, NULL, 1, '2026-11-22 23:23:41.235109+00', '2026-11-22 23:23:41.235109+00'),
	('01a20592-91a3-7d01-aac5-1dfb5c4d2d3b', '01a20592-8bc6-7d0f-a961-3a1733ab154a', 'failed', NULL, NULL, 1, '2026-11-22 23:23:41.347381+00', '2026-11-22 23:23:41.347381+00'),
	('01a20592-91cc-7ebd-860d-8e80e4f7222d', '01a20592-8bc6-7d0f-a961-3a1733ab154a', 'waiting', NULL, NULL, 1, '2026-11-22 23:23:41.388891+00', '2026-11-22 23:23:41.388891+00'),
	('01a20592-9252-7bfa-9470-4d51833f175a', '01a20592-8bc6-7d0f-a961-3a1733ab154a', 'chain', NULL, NULL, 1, '2026-11-22 23:23:41.522163+00', '2026-11-22 23:23:41.522163+00');


--
-- Data for Name: project; Type: TABLE DATA; Schema: pipelines; Owner: pipelines
--

INSERT INTO pipelines.project VALUES
	('01a20592-8bc6-7d0f-a961-3a1733ab154a', 'old', 'old', NULL, 'UTC', '2026-11-22 23:23:39.846491+00', 'local');


--
-- Data for Name: version; Type: TABLE DATA; Schema: pipelines; Owner: pipelines
--

INSERT INTO pipelines.version VALUES
	('01a20592-9147-7277-8691-2aaa1398eb31', '01a20592-9136-744d-ab2b-d80e094a8999', 1, 'finished.yaml', 'qualiz: 1
pipeline: finished
steps:
  read: {uses: ingest, with: {from: {folder: /srv/landing, files: "*.csv", onlyNew: true}}}
  clean:
    uses: cleanse
    inputs: [read]
    with: {checks: [{check: notNull, columns: [name], else: reject}]}
    publish: names
', '{"pipeline":"finished","params":[],"limits":{"whenBusy":"queue"},"steps":[{"id":"read","operator":"ingest","major":1,"config":{"from":{"folder":"/srv/landing","files":"*.csv","onlyNew":true}},"inputs":[],"needs":[],"retry":{"times":0,"wait":"00:00:00","backoff":1,"on":"transient"},"dependencies":[]},{"id":"clean","operator":"cleanse","major":1,"config":{"checks":[{"check":"notNull","columns":["name"],"else":"reject"}]},"inputs":[{"name":"read","step":"read","port":"out"}],"needs":[],"retry":{"times":0,"wait":"00:00:00","backoff":1,"on":"transient"},"publish":"names","dependencies":["read"]}]}', '[]', '2026-11-22 23:23:41.235109+00', 'local'),
	('01a20592-91a3-7250-8f6f-bd19dc871804', '01a20592-91a3-7d01-aac5-1dfb5c4d2d3b', 1, 'failed.yaml', 'qualiz: 1
pipeline: failed
steps:
  first: {uses: log, with: {message: begins}}
  read: {uses: ingest, needs: [first], with: {from: {upload: 00000000-0000-0000-0000-000000000001}}}
', '{"pipeline":"failed","params":[],"limits":{"whenBusy":"queue"},"steps":[{"id":"first","operator":"log","major":1,"config":{"message":"begins"},"inputs":[],"needs":[],"retry":{"times":0,"wait":"00:00:00","backoff":1,"on":"transient"},"dependencies":[]},{"id":"read","operator":"ingest","major":1,"config":{"from":{"upload":"00000000-0000-0000-0000-000000000001"}},"inputs":[],"needs":["first"],"retry":{"times":0,"wait":"00:00:00","backoff":1,"on":"transient"},"dependencies":["first"]}]}', '[]', '2026-11-22 23:23:41.347381+00', 'local'),
	('01a20592-91cd-7a46-adaf-0c5d083b659e', '01a20592-91cc-7ebd-860d-8e80e4f7222d', 1, 'waiting.yaml', 'qualiz: 1
pipeline: waiting
limits: {concurrency: 1, whenBusy: queue}
params: {minutes: {type: text, default: "15s"}}
steps:
  first: {uses: log, with: {message: begins}}
  pause: {uses: wait, needs: [first], with: {for: "15s"}}
  last: {uses: log, needs: [pause], with: {message: ends}}
', '{"pipeline":"waiting","params":[{"name":"minutes","type":"text","default":"15s"}],"limits":{"concurrency":1,"whenBusy":"queue"},"steps":[{"id":"first","operator":"log","major":1,"config":{"message":"begins"},"inputs":[],"needs":[],"retry":{"times":0,"wait":"00:00:00","backoff":1,"on":"transient"},"dependencies":[]},{"id":"pause","operator":"wait","major":1,"config":{"for":"15s"},"inputs":[],"needs":["first"],"retry":{"times":0,"wait":"00:00:00","backoff":1,"on":"transient"},"dependencies":["first"]},{"id":"last","operator":"log","major":1,"config":{"message":"ends"},"inputs":[],"needs":["pause"],"retry":{"times":0,"wait":"00:00:00","backoff":1,"on":"transient"},"dependencies":["pause"]}]}', '[]', '2026-11-22 23:23:41.388891+00', 'local'),
	('01a20592-9252-712e-98fd-0ace9fe0de9d', '01a20592-9252-7bfa-9470-4d51833f175a', 1, 'chain.yaml', 'qualiz: 1
pipeline: chain
steps:
  s01: {uses: log, with: {message: x}}
  s02: {uses: log, with: {message: x}, needs: [s01]}
  s03: {uses: log, with: {message: x}, needs: [s02]}
  s04: {uses: log, with: {message: x}, needs: [s03]}
  s05: {uses: log, with: {message: x}, needs: [s04]}
  s06: {uses: log, with: {message: x}, needs: [s05]}
  s07: {uses: log, with: {message: x}, needs: [s06]}
  s08: {uses: log, with: {message: x}, needs: [s07]}
  s09: {uses: log, with: {message: x}, needs: [s08]}
  s10: {uses: log, with: {message: x}, needs: [s09]}
  s11: {uses: log, with: {message: x}, needs: [s10]}
  s12: {uses: log, with: {message: x}, needs: [s11]}
  s13: {uses: log, with: {message: x}, needs: [s12]}
  s14: {uses: log, with: {message: x}, needs: [s13]}
  s15: {uses: log, with: {message: x}, needs: [s14]}
  s16: {uses: log, with: {message: x}, needs: [s15]}
  s17: {uses: log, with: {message: x}, needs: [s16]}
  s18: {uses: log, with: {message: x}, needs: [s17]}
  s19: {uses: log, with: {message: x}, needs: [s18]}
  s20: {uses: log, with: {message: x}, needs: [s19]}
  s21: {uses: log, with: {message: x}, needs: [s20]}
  s22: {uses: log, with: {message: x}, needs: [s21]}
  s23: {uses: log, with: {message: x}, needs: [s22]}
  s24: {uses: log, with: {message: x}, needs: [s23]}
  s25: {uses: log, with: {message: x}, needs: [s24]}
  s26: {uses: log, with: {message: x}, needs: [s25]}
  s27: {uses: log, with: {message: x}, needs: [s26]}
  s28: {uses: log, with: {message: x}, needs: [s27]}
  s29: {uses: log, with: {message: x}, needs: [s28]}
  s30: {uses: log, with: {message: x}, needs: [s29]}
', '{"pipeline":"chain","params":[],"limits":{"whenBusy":"queue"},"steps":[{"id":"s01","operator":"log","major":1,"config":{"message":"x"},"inputs":[],"needs":[],"retry":{"times":0,"wait":"00:00:00","backoff":1,"on":"transient"},"dependencies":[]},{"id":"s02","operator":"log","major":1,"config":{"message":"x"},"inputs":[],"needs":["s01"],"retry":{"times":0,"wait":"00:00:00","backoff":1,"on":"transient"},"dependencies":["s01"]},{"id":"s03","operator":"log","major":1,"config":{"message":"x"},"inputs":[],"needs":["s02"],"retry":{"times":0,"wait":"00:00:00","backoff":1,"on":"transient"},"dependencies":["s02"]},{"id":"s04","operator":"log","major":1,"config":{"message":"x"},"inputs":[],"needs":["s03"],"retry":{"times":0,"wait":"00:00:00","backoff":1,"on":"transient"},"dependencies":["s03"]},{"id":"s05","operator":"log","major":1,"config":{"message":"x"},"inputs":[],"needs":["s04"],"retry":{"times":0,"wait":"00:00:00","backoff":1,"on":"transient"},"dependencies":["s04"]},{"id":"s06","operator":"log","major":1,"config":{"message":"x"},"inputs":[],"needs":["s05"],"retry":{"times":0,"wait":"00:00:00","backoff":1,"on":"transient"},"dependencies":["s05"]},{"id":"s07","operator":"log","major":1,"config":{"message":"x"},"inputs":[],"needs":["s06"],"retry":{"times":0,"wait":"00:00:00","backoff":1,"on":"transient"},"dependencies":["s06"]},{"id":"s08","operator":"log","major":1,"config":{"message":"x"},"inputs":[],"needs":["s07"],"retry":{"times":0,"wait":"00:00:00","backoff":1,"on":"transient"},"dependencies":["s07"]},{"id":"s09","operator":"log","major":1,"config":{"message":"x"},"inputs":[],"needs":["s08"],"retry":{"times":0,"wait":"00:00:00","backoff":1,"on":"transient"},"dependencies":["s08"]},{"id":"s10","operator":"log","major":1,"config":{"message":"x"},"inputs":[],"needs":["s09"],"retry":{"times":0,"wait":"00:00:00","backoff":1,"on":"transient"},"dependencies":["s09"]},{"id":"s11","operator":"log","major":1,"config":{"message":"x"},"inputs":[],"needs":["s10"],"retry":{"times":0,"wait":"00:00:00","backoff":1,"on":"transient"},"dependencies":["s10"]},{"id":"s12","operator":"log","major":1,"config":{"message":"x"},"inputs":[],"needs":["s11"],"retry":{"times":0,"wait":"00:00:00","backoff":1,"on":"transient"},"dependencies":["s11"]},{"id":"s13","operator":"log","major":1,"config":{"message":"x"},"inputs":[],"needs":["s12"],"retry":{"times":0,"wait":"00:00:00","backoff":1,"on":"transient"},"dependencies":["s12"]},{"id":"s14","operator":"log","major":1,"config":{"message":"x"},"inputs":[],"needs":["s13"],"retry":{"times":0,"wait":"00:00:00","backoff":1,"on":"transient"},"dependencies":["s13"]},{"id":"s15","operator":"log","major":1,"config":{"message":"x"},"inputs":[],"needs":["s14"],"retry":{"times":0,"wait":"00:00:00","backoff":1,"on":"transient"},"dependencies":["s14"]},{"id":"s16","operator":"log","major":1,"config":{"message":"x"},"inputs":[],"needs":["s15"],"retry":{"times":0,"wait":"00:00:00","backoff":1,"on":"transient"},"dependencies":["s15"]},{"id":"s17","operator":"log","major":1,"config":{"message":"x"},"inputs":[],"needs":["s16"],"retry":{"times":0,"wait":"00:00:00","backoff":1,"on":"transient"},"dependencies":["s16"]},{"id":"s18","operator":"log","major":1,"config":{"message":"x"},"inputs":[],"needs":["s17"],"retry":{"times":0,"wait":"00:00:00","backoff":1,"on":"transient"},"dependencies":["s17"]},{"id":"s19","operator":"log","major":1,"config":{"message":"x"},"inputs":[],"needs":["s18"],"retry":{"times":0,"wait":"00:00:00","backoff":1,"on":"transient"},"dependencies":["s18"]},{"id":"s20","operator":"log","major":1,"config":{"message":"x"},"inputs":[],"needs":["s19"],"retry":{"times":0,"wait":"00:00:00","backoff":1,"on":"transient"},"dependencies":["s19"]},{"id":"s21","operator":"log","major":1,"config":{"message":"x"},"inputs":[],"needs":["s20"],"retry":{"times":0,"wait":"00:00:00","backoff":1,"on":"transient"},"dependencies":["s20"]},{"id":"s22","operator":"log","major":1,"config":{"message":"x"},"inputs":[],"needs":["s21"],"retry":{"times":0,"wait":"00:00:00","backoff":1,"on":"transient"},"dependencies":["s21"]},{"id":"s23","operator":"log","major":1,"config":{"message":"x"},"inputs":[],"needs":["s22"],"retry":{"times":0,"wait":"00:00:00","backoff":1,"on":"transient"},"dependencies":["s22"]},{"id":"s24","operator":"log","major":1,"config":{"message":"x"},"inputs":[],"needs":["s23"],"retry":{"times":0,"wait":"00:00:00","backoff":1,"on":"transient"},"dependencies":["s23"]},{"id":"s25","operator":"log","major":1,"config":{"message":"x"},"inputs":[],"needs":["s24"],"retry":{"times":0,"wait":"00:00:00","backoff":1,"on":"transient"},"dependencies":["s24"]},{"id":"s26","operator":"log","major":1,"config":{"message":"x"},"inputs":[],"needs":["s25"],"retry":{"times":0,"wait":"00:00:00","backoff":1,"on":"transient"},"dependencies":["s25"]},{"id":"s27","operator":"log","major":1,"config":{"message":"x"},"inputs":[],"needs":["s26"],"retry":{"times":0,"wait":"00:00:00","backoff":1,"on":"transient"},"dependencies":["s26"]},{"id":"s28","operator":"log","major":1,"config":{"message":"x"},"inputs":[],"needs":["s27"],"retry":{"times":0,"wait":"00:00:00","backoff":1,"on":"transient"},"dependencies":["s27"]},{"id":"s29","operator":"log","major":1,"config":{"message":"x"},"inputs":[],"needs":["s28"],"retry":{"times":0,"wait":"00:00:00","backoff":1,"on":"transient"},"dependencies":["s28"]},{"id":"s30","operator":"log","major":1,"config":{"message":"x"},"inputs":[],"needs":["s29"],"retry":{"times":0,"wait":"00:00:00","backoff":1,"on":"transient"},"dependencies":["s29"]}]}', '[]', '2026-11-22 23:23:41.522163+00', 'local');


--
-- Data for Name: event; Type: TABLE DATA; Schema: runs; Owner: runs
--

INSERT INTO runs.event VALUES
	('01a20592-926a-7ca6-8cb8-e1155ee5d337', 1, 'RunQueued', '2026-11-22 23:23:42.147465+00', '{"project":"old","pipeline":"finished","pipelineId":"01a20592-9136-744d-ab2b-d80e094a8999","pipelineVersion":1,"cause":"api","id":"01a20592-94c3-7959-9c04-4ba408857ee3","occurredAt":"2026-11-22T23:23:42.1474653+00:00","projectId":"01a20592-8bc6-7d0f-a961-3a1733ab154a","actor":"local","runId":"01a20592-926a-7ca6-8cb8-e1155ee5d337","sequence":1}'),
	('01a20592-955e-7fe3-a2ab-80b34ecf965c', 1, 'RunQueued', '2026-11-22 23:23:42.368598+00', '{"project":"old","pipeline":"failed","pipelineId":"01a20592-91a3-7d01-aac5-1dfb5c4d2d3b","pipelineVersion":1,"cause":"api","id":"01a20592-95a0-7864-bf57-32b9daf21181","occurredAt":"2026-11-22T23:23:42.3685984+00:00","projectId":"01a20592-8bc6-7d0f-a961-3a1733ab154a","actor":"local","runId":"01a20592-955e-7fe3-a2ab-80b34ecf965c","sequence":1}'),
	('01a20592-955e-7fe3-a2ab-80b34ecf965c', 2, 'RunStarted', '2026-11-22 23:23:42.503917+00', '{"id":"01a20592-9627-775a-a0cf-6a4f029f42cb","occurredAt":"2026-11-22T23:23:42.5039178+00:00","projectId":"01a20592-8bc6-7d0f-a961-3a1733ab154a","actor":"local","runId":"01a20592-955e-7fe3-a2ab-80b34ecf965c","sequence":2}'),
	('01a20592-926a-7ca6-8cb8-e1155ee5d337', 2, 'RunStarted', '2026-11-22 23:23:42.439399+00', '{"id":"01a20592-95e7-7fc9-8445-6fb9bf11bbfe","occurredAt":"2026-11-22T23:23:42.4393996+00:00","projectId":"01a20592-8bc6-7d0f-a961-3a1733ab154a","actor":"local","runId":"01a20592-926a-7ca6-8cb8-e1155ee5d337","sequence":2}'),
	('01a20592-955e-7fe3-a2ab-80b34ecf965c', 3, 'StepStarted', '2026-11-22 23:23:42.763745+00', '{"stepId":"first","attempt":1,"fence":1,"worker":"log@vm:10058","id":"01a20592-972b-727f-a950-8aa36dad5631","occurredAt":"2026-11-22T23:23:42.763745+00:00","projectId":"01a20592-8bc6-7d0f-a961-3a1733ab154a","actor":"log@vm:10058","runId":"01a20592-955e-7fe3-a2ab-80b34ecf965c","sequence":3}'),
	('01a20592-926a-7ca6-8cb8-e1155ee5d337', 3, 'StepStarted', '2026-11-22 23:23:42.760335+00', '{"stepId":"read","attempt":1,"fence":2,"worker":"ingest@vm:10058","id":"01a20592-9728-76ad-9c1d-60cb059ee0ae","occurredAt":"2026-11-22T23:23:42.7603352+00:00","projectId":"01a20592-8bc6-7d0f-a961-3a1733ab154a","actor":"ingest@vm:10058","runId":"01a20592-926a-7ca6-8cb8-e1155ee5d337","sequence":3}'),
	('01a20592-955e-7fe3-a2ab-80b34ecf965c', 4, 'StepCompleted', '2026-11-22 23:23:42.971571+00', '{"stepId":"first","attempt":1,"fence":1,"outcome":{"outputs":{},"ledger":[],"counts":{},"warnings":[],"logKey":"old/01a20592-955e-7fe3-a2ab-80b34ecf965c/first/1/log.ndjson","rowsOut":0,"rowsRejected":0,"rowsIn":0},"id":"01a20592-97fb-7dd9-aef5-0eb27af64e07","occurredAt":"2026-11-22T23:23:42.9715716+00:00","projectId":"01a20592-8bc6-7d0f-a961-3a1733ab154a","actor":"log@vm:10058","runId":"01a20592-955e-7fe3-a2ab-80b34ecf965c","sequence":4}'),
	('01a20592-955e-7fe3-a2ab-80b34ecf965c', 5, 'StepStarted', '2026-11-22 23:23:43.02289+00', '{"stepId":"read","attempt":1,"fence":3,"worker":"ingest@vm:10058","id":"01a20592-982e-76f9-b212-e00e6e9f2fb8","occurredAt":"2026-11-22T23:23:43.0228903+00:00","projectId":"01a20592-8bc6-7d0f-a961-3a1733ab154a","actor":"ingest@vm:10058","runId":"01a20592-955e-7fe3-a2ab-80b34ecf965c","sequence":5}'),
	('01a20592-926a-7ca6-8cb8-e1155ee5d337', 4, 'StepCompleted', '2026-11-22 23:23:43.692018+00', '{"stepId":"read","attempt":1,"fence":2,"outcome":{"outputs":{"out":{"files":[{"key":"old/01a20592-926a-7ca6-8cb8-e1155ee5d337/read/2/out-0001.parquet","rows":3,"bytes":329,"sha256":"d9741e8606d1a83e816f49fc8d9f7c793377dc80d2a5b0448c29b47e5cbabdcb","origin":{"source":"/srv/landing/x.csv@6fed70dfc359ebb1","gaps":[]}}],"schema":{"columns":[{"name":"id","type":"int64","nullable":true,"hidden":false},{"name":"name","type":"text","nullable":true,"hidden":false},{"name":"_source","type":"text","nullable":false,"hidden":true},{"name":"_row","type":"int64","nullable":false,"hidden":true},{"name":"_key","type":"text","nullable":false,"hidden":true}]},"rows":3,"bytes":329}},"ledger":[{"input":"x.csv","in":3,"added":0,"out":3,"rejected":0,"merged":0,"filtered":0,"reasons":[],"balances":true}],"counts":{"files":1},"state":{"version":1,"files":[{"path":"/srv/landing/x.csv","size":19,"hash":"ef5e1006af53336782a101726b596f35"}],"columns":[{"name":"id","type":"int64"},{"name":"name","type":"text"}]},"warnings":[],"logKey":"old/01a20592-926a-7ca6-8cb8-e1155ee5d337/read/2/log.ndjson","rowsOut":3,"rowsRejected":0,"rowsIn":3},"id":"01a20592-9acc-78dd-8632-88e345e2fb5b","occurredAt":"2026-11-22T23:23:43.6920181+00:00","projectId":"01a20592-8bc6-7d0f-a961-3a1733ab154a","actor":"ingest@vm:10058","runId":"01a20592-926a-7ca6-8cb8-e1155ee5d337","sequence":4}'),
	('01a20592-926a-7ca6-8cb8-e1155ee5d337', 5, 'StepStarted', '2026-11-22 23:23:43.702909+00', '{"stepId":"clean","attempt":1,"fence":4,"worker":"cleanse@vm:10058","id":"01a20592-9ad6-7cde-a861-3a7bbdde5ba2","occurredAt":"2026-11-22T23:23:43.7029099+00:00","projectId":"01a20592-8bc6-7d0f-a961-3a1733ab154a","actor":"cleanse@vm:10058","runId":"01a20592-926a-7ca6-8cb8-e1155ee5d337","sequence":5}'),
	('01a20592-955e-7fe3-a2ab-80b34ecf965c', 6, 'StepFailed', '2026-11-22 23:23:44.147364+00', '{"stepId":"read","attempt":1,"error":{"code":"uploadUnknown","message":"There is no upload 00000000-0000-0000-0000-000000000001 in this project.","path":"from.upload","transient":false},"outcome":{"outputs":{},"ledger":[],"counts":{},"warnings":[],"logKey":"old/01a20592-955e-7fe3-a2ab-80b34ecf965c/read/3/log.ndjson","rowsOut":0,"rowsRejected":0,"rowsIn":0},"id":"01a20592-9c93-7789-a32d-652094ecf442","occurredAt":"2026-11-22T23:23:44.1473648+00:00","projectId":"01a20592-8bc6-7d0f-a961-3a1733ab154a","actor":"ingest@vm:10058","runId":"01a20592-955e-7fe3-a2ab-80b34ecf965c","sequence":6}'),
	('01a20592-955e-7fe3-a2ab-80b34ecf965c', 7, 'RunFailed', '2026-11-22 23:23:44.150919+00', '{"project":"old","pipeline":"failed","pipelineId":"01a20592-91a3-7d01-aac5-1dfb5c4d2d3b","stepId":"read","error":{"code":"uploadUnknown","message":"There is no upload 00000000-0000-0000-0000-000000000001 in this project.","path":"from.upload","transient":false},"id":"01a20592-9c96-71b1-82a0-f88b069df02c","occurredAt":"2026-11-22T23:23:44.1509194+00:00","projectId":"01a20592-8bc6-7d0f-a961-3a1733ab154a","actor":"system","runId":"01a20592-955e-7fe3-a2ab-80b34ecf965c","sequence":7}'),
	('01a20592-926a-7ca6-8cb8-e1155ee5d337', 6, 'StepCompleted', '2026-11-22 23:23:44.180931+00', '{"stepId":"clean","attempt":1,"fence":4,"outcome":{"outputs":{"rejected":{"files":[{"key":"old/01a20592-926a-7ca6-8cb8-e1155ee5d337/clean/4/rejected-0001.parquet","rows":1,"bytes":1598,"sha256":"09c5f203720dd2f1aa6021d5a377efc5169ba53b06bf6ad7210e653bd5eb2d41"}],"schema":{"columns":[{"name":"_source","type":"text","nullable":false,"hidden":true},{"name":"_row","type":"int64","nullable":false,"hidden":true},{"name":"_key","type":"text","nullable":false,"hidden":true},{"name":"ingested","type":"json","nullable":false,"hidden":false},{"name":"rejected","type":"json","nullable":false,"hidden":false},{"name":"reasons","type":"json","nullable":false,"hidden":false}]},"rows":1,"bytes":1598},"out":{"files":[{"key":"old/01a20592-926a-7ca6-8cb8-e1155ee5d337/clean/4/out-0001.parquet","rows":2,"bytes":912,"sha256":"07a4de0153b4408304732c699d47dc959becb225d02293d4b76265935dad84ed"}],"schema":{"columns":[{"name":"id","type":"int64","nullable":true,"hidden":false},{"name":"name","type":"text","nullable":false,"hidden":false},{"name":"_source","type":"text","nullable":false,"hidden":true},{"name":"_row","type":"int64","nullable":false,"hidden":true},{"name":"_key","type":"text","nullable":false,"hidden":true}]},"rows":2,"bytes":912}},"ledger":[{"input":"read","in":3,"added":0,"out":2,"rejected":1,"merged":0,"filtered":0,"reasons":[{"kind":"rejected","reason":"notNull(name)","rows":1}],"balances":true}],"counts":{},"warnings":[],"logKey":"old/01a20592-926a-7ca6-8cb8-e1155ee5d337/clean/4/log.ndjson","rowsOut":2,"rowsRejected":1,"rowsIn":3},"id":"01a20592-9cb4-75f0-a653-865e2fe9173c","occurredAt":"2026-11-22T23:23:44.1809318+00:00","projectId":"01a20592-8bc6-7d0f-a961-3a1733ab154a","actor":"cleanse@vm:10058","runId":"01a20592-926a-7ca6-8cb8-e1155ee5d337","sequence":6}'),
	('01a20592-926a-7ca6-8cb8-e1155ee5d337', 7, 'RunCompleted', '2026-11-22 23:23:44.258542+00', '{"project":"old","pipeline":"finished","pipelineId":"01a20592-9136-744d-ab2b-d80e094a8999","pipelineVersion":1,"published":[{"dataset":"names","stepId":"clean","content":{"files":[{"key":"old/01a20592-926a-7ca6-8cb8-e1155ee5d337/clean/4/out-0001.parquet","rows":2,"bytes":912,"sha256":"07a4de0153b4408304732c699d47dc959becb225d02293d4b76265935dad84ed"}],"schema":{"columns":[{"name":"id","type":"int64","nullable":true,"hidden":false},{"name":"name","type":"text","nullable":false,"hidden":false},{"name":"_source","type":"text","nullable":false,"hidden":true},{"name":"_row","type":"int64","nullable":false,"hidden":true},{"name":"_key","type":"text","nullable":false,"hidden":true}]},"rows":2,"bytes":912},"quality":0.6666666666666667}],"id":"01a20592-9d02-778d-b01b-749c5e71b104","occurredAt":"2026-11-22T23:23:44.2585427+00:00","projectId":"01a20592-8bc6-7d0f-a961-3a1733ab154a","actor":"system","runId":"01a20592-926a-7ca6-8cb8-e1155ee5d337","sequence":7}'),
	('01a20592-c4fe-7860-86de-5db5adfeb911', 2, 'RunStarted', '2026-11-22 23:23:54.578266+00', '{"id":"01a20592-c552-7ddb-9f65-4ef3ffb0ab74","occurredAt":"2026-11-22T23:23:54.5782664+00:00","projectId":"01a20592-8bc6-7d0f-a961-3a1733ab154a","actor":"local","runId":"01a20592-c4fe-7860-86de-5db5adfeb911","sequence":2}'),
	('01a20592-c4fe-7860-86de-5db5adfeb911', 6, 'StepDeferred', '2026-11-22 23:23:54.708429+00', '{"stepId":"pause","nextCheck":"2026-11-22T23:24:09.6704739+00:00","id":"01a20592-c5d4-7e0f-bafc-6b82e4f9574f","occurredAt":"2026-11-22T23:23:54.7084298+00:00","projectId":"01a20592-8bc6-7d0f-a961-3a1733ab154a","actor":"wait@vm:10058","runId":"01a20592-c4fe-7860-86de-5db5adfeb911","sequence":6}'),
	('01a20592-d1db-7d67-9f97-1c95b83a1515', 5, 'StepStarted', '2026-11-22 23:23:57.880507+00', '{"stepId":"s02","attempt":1,"fence":8,"worker":"log@vm:10058","id":"01a20592-d238-700d-981d-f9049155ab20","occurredAt":"2026-11-22T23:23:57.8805079+00:00","projectId":"01a20592-8bc6-7d0f-a961-3a1733ab154a","actor":"log@vm:10058","runId":"01a20592-d1db-7d67-9f97-1c95b83a1515","sequence":5}'),
	('01a20592-d1db-7d67-9f97-1c95b83a1515', 9, 'StepStarted', '2026-11-22 23:23:57.902866+00', '{"stepId":"s04","attempt":1,"fence":10,"worker":"log@vm:10058","id":"01a20592-d24e-7112-9fa5-b12b28b649e0","occurredAt":"2026-11-22T23:23:57.9028665+00:00","projectId":"01a20592-8bc6-7d0f-a961-3a1733ab154a","actor":"log@vm:10058","runId":"01a20592-d1db-7d67-9f97-1c95b83a1515","sequence":9}'),
	('01a20592-d1db-7d67-9f97-1c95b83a1515', 13, 'StepStarted', '2026-11-22 23:23:57.93729+00', '{"stepId":"s06","attempt":1,"fence":12,"worker":"log@vm:10058","id":"01a20592-d271-7593-aa69-a836919a7b85","occurredAt":"2026-11-22T23:23:57.9372903+00:00","projectId":"01a20592-8bc6-7d0f-a961-3a1733ab154a","actor":"log@vm:10058","runId":"01a20592-d1db-7d67-9f97-1c95b83a1515","sequence":13}'),
	('01a20592-d1db-7d67-9f97-1c95b83a1515', 17, 'StepStarted', '2026-11-22 23:23:57.967356+00', '{"stepId":"s08","attempt":1,"fence":14,"worker":"log@vm:10058","id":"01a20592-d28f-7e9f-8d5a-f387ec91f0a6","occurredAt":"2026-11-22T23:23:57.9673561+00:00","projectId":"01a20592-8bc6-7d0f-a961-3a1733ab154a","actor":"log@vm:10058","runId":"01a20592-d1db-7d67-9f97-1c95b83a1515","sequence":17}'),
	('01a20592-c4fe-7860-86de-5db5adfeb911', 1, 'RunQueued', '2026-11-22 23:23:54.568649+00', '{"project":"old","pipeline":"waiting","pipelineId":"01a20592-91cc-7ebd-860d-8e80e4f7222d","pipelineVersion":1,"cause":"api","id":"01a20592-c548-7f48-940c-64ad92c3c0f9","occurredAt":"2026-11-22T23:23:54.5686498+00:00","projectId":"01a20592-8bc6-7d0f-a961-3a1733ab154a","actor":"local","runId":"01a20592-c4fe-7860-86de-5db5adfeb911","sequence":1}'),
	('01a20592-c4fe-7860-86de-5db5adfeb911', 3, 'StepStarted', '2026-11-22 23:23:54.617032+00', '{"stepId":"first","attempt":1,"fence":5,"worker":"log@vm:10058","id":"01a20592-c579-7613-b95f-be27154200ce","occurredAt":"2026-11-22T23:23:54.6170326+00:00","projectId":"01a20592-8bc6-7d0f-a961-3a1733ab154a","actor":"log@vm:10058","runId":"01a20592-c4fe-7860-86de-5db5adfeb911","sequence":3}'),
	('01a20592-c5d8-79ec-8125-1f0b9f77896e', 1, 'RunQueued', '2026-11-22 23:23:54.733242+00', '{"project":"old","pipeline":"waiting","pipelineId":"01a20592-91cc-7ebd-860d-8e80e4f7222d","pipelineVersion":1,"cause":"api","id":"01a20592-c5ed-7967-b8e6-f6e2cb1f1d40","occurredAt":"2026-11-22T23:23:54.7332427+00:00","projectId":"01a20592-8bc6-7d0f-a961-3a1733ab154a","actor":"local","runId":"01a20592-c5d8-79ec-8125-1f0b9f77896e","sequence":1}'),
	('01a20592-d1db-7d67-9f97-1c95b83a1515', 4, 'StepCompleted', '2026-11-22 23:23:57.867294+00', '{"stepId":"s01","attempt":1,"fence":7,"outcome":{"outputs":{},"ledger":[],"counts":{},"warnings":[],"logKey":"old/01a20592-d1db-7d67-9f97-1c95b83a1515/s01/7/log.ndjson","rowsOut":0,"rowsRejected":0,"rowsIn":0},"id":"01a20592-d22b-7909-bf48-6f57b070c569","occurredAt":"2026-11-22T23:23:57.8672945+00:00","projectId":"01a20592-8bc6-7d0f-a961-3a1733ab154a","actor":"log@vm:10058","runId":"01a20592-d1db-7d67-9f97-1c95b83a1515","sequence":4}'),
	('01a20592-d1db-7d67-9f97-1c95b83a1515', 8, 'StepCompleted', '2026-11-22 23:23:57.896686+00', '{"stepId":"s03","attempt":1,"fence":9,"outcome":{"outputs":{},"ledger":[],"counts":{},"warnings":[],"logKey":"old/01a20592-d1db-7d67-9f97-1c95b83a1515/s03/9/log.ndjson","rowsOut":0,"rowsRejected":0,"rowsIn":0},"id":"01a20592-d248-79ae-b402-b79df26da079","occurredAt":"2026-11-22T23:23:57.8966863+00:00","projectId":"01a20592-8bc6-7d0f-a961-3a1733ab154a","actor":"log@vm:10058","runId":"01a20592-d1db-7d67-9f97-1c95b83a1515","sequence":8}'),
	('01a20592-d1db-7d67-9f97-1c95b83a1515', 12, 'StepCompleted', '2026-11-22 23:23:57.930066+00', '{"stepId":"s05","attempt":1,"fence":11,"outcome":{"outputs":{},"ledger":[],"counts":{},"warnings":[],"logKey":"old/01a20592-d1db-7d67-9f97-1c95b83a1515/s05/11/log.ndjson","rowsOut":0,"rowsRejected":0,"rowsIn":0},"id":"01a20592-d26a-7fba-979d-3e3833b86493","occurredAt":"2026-11-22T23:23:57.9300668+00:00","projectId":"01a20592-8bc6-7d0f-a961-3a1733ab154a","actor":"log@vm:10058","runId":"01a20592-d1db-7d67-9f97-1c95b83a1515","sequence":12}'),
	('01a20592-d1db-7d67-9f97-1c95b83a1515', 16, 'StepCompleted', '2026-11-22 23:23:57.958749+00', '{"stepId":"s07","attempt":1,"fence":13,"outcome":{"outputs":{},"ledger":[],"counts":{},"warnings":[],"logKey":"old/01a20592-d1db-7d67-9f97-1c95b83a1515/s07/13/log.ndjson","rowsOut":0,"rowsRejected":0,"rowsIn":0},"id":"01a20592-d286-7773-87c9-942a9a70dc09","occurredAt":"2026-11-22T23:23:57.9587493+00:00","projectId":"01a20592-8bc6-7d0f-a961-3a1733ab154a","actor":"log@vm:10058","runId":"01a20592-d1db-7d67-9f97-1c95b83a1515","sequence":16}'),
	('01a20592-c4fe-7860-86de-5db5adfeb911', 4, 'StepCompleted', '2026-11-22 23:23:54.625581+00', '{"stepId":"first","attempt":1,"fence":5,"outcome":{"outputs":{},"ledger":[],"counts":{},"warnings":[],"logKey":"old/01a20592-c4fe-7860-86de-5db5adfeb911/first/5/log.ndjson","rowsOut":0,"rowsRejected":0,"rowsIn":0},"id":"01a20592-c581-7157-9dd0-d4d2274eef76","occurredAt":"2026-11-22T23:23:54.6255817+00:00","projectId":"01a20592-8bc6-7d0f-a961-3a1733ab154a","actor":"log@vm:10058","runId":"01a20592-c4fe-7860-86de-5db5adfeb911","sequence":4}'),
	('01a20592-d1db-7d67-9f97-1c95b83a1515', 1, 'RunQueued', '2026-11-22 23:23:57.817173+00', '{"project":"old","pipeline":"chain","pipelineId":"01a20592-9252-7bfa-9470-4d51833f175a","pipelineVersion":1,"cause":"api","id":"01a20592-d1f9-7e61-98e0-bbf53c1323a3","occurredAt":"2026-11-22T23:23:57.8171731+00:00","projectId":"01a20592-8bc6-7d0f-a961-3a1733ab154a","actor":"local","runId":"01a20592-d1db-7d67-9f97-1c95b83a1515","sequence":1}'),
	('01a20592-d1db-7d67-9f97-1c95b83a1515', 3, 'StepStarted', '2026-11-22 23:23:57.856119+00', '{"stepId":"s01","attempt":1,"fence":7,"worker":"log@vm:10058","id":"01a20592-d220-7316-a05f-c3ba7487878c","occurredAt":"2026-11-22T23:23:57.8561192+00:00","projectId":"01a20592-8bc6-7d0f-a961-3a1733ab154a","actor":"log@vm:10058","runId":"01a20592-d1db-7d67-9f97-1c95b83a1515","sequence":3}'),
	('01a20592-d1db-7d67-9f97-1c95b83a1515', 7, 'StepStarted', '2026-11-22 23:23:57.891317+00', '{"stepId":"s03","attempt":1,"fence":9,"worker":"log@vm:10058","id":"01a20592-d243-7d3e-b65e-ef5cf00bbe0e","occurredAt":"2026-11-22T23:23:57.8913171+00:00","projectId":"01a20592-8bc6-7d0f-a961-3a1733ab154a","actor":"log@vm:10058","runId":"01a20592-d1db-7d67-9f97-1c95b83a1515","sequence":7}'),
	('01a20592-d1db-7d67-9f97-1c95b83a1515', 11, 'StepStarted', '2026-11-22 23:23:57.922661+00', '{"stepId":"s05","attempt":1,"fence":11,"worker":"log@vm:10058","id":"01a20592-d262-7553-8697-4624d2f8b2e7","occurredAt":"2026-11-22T23:23:57.9226614+00:00","projectId":"01a20592-8bc6-7d0f-a961-3a1733ab154a","actor":"log@vm:10058","runId":"01a20592-d1db-7d67-9f97-1c95b83a1515","sequence":11}'),
	('01a20592-d1db-7d67-9f97-1c95b83a1515', 15, 'StepStarted', '2026-11-22 23:23:57.948014+00', '{"stepId":"s07","attempt":1,"fence":13,"worker":"log@vm:10058","id":"01a20592-d27c-7c94-83a3-963c1bc06f48","occurredAt":"2026-11-22T23:23:57.9480149+00:00","projectId":"01a20592-8bc6-7d0f-a961-3a1733ab154a","actor":"log@vm:10058","runId":"01a20592-d1db-7d67-9f97-1c95b83a1515","sequence":15}'),
	('01a20592-c4fe-7860-86de-5db5adfeb911', 5, 'StepStarted', '2026-11-22 23:23:54.634297+00', '{"stepId":"pause","attempt":1,"fence":6,"worker":"wait@vm:10058","id":"01a20592-c58a-72f9-b685-07a6bb9929d2","occurredAt":"2026-11-22T23:23:54.6342976+00:00","projectId":"01a20592-8bc6-7d0f-a961-3a1733ab154a","actor":"wait@vm:10058","runId":"01a20592-c4fe-7860-86de-5db5adfeb911","sequence":5}'),
	('01a20592-d1db-7d67-9f97-1c95b83a1515', 2, 'RunStarted', '2026-11-22 23:23:57.830904+00', '{"id":"01a20592-d206-7da8-a0b1-1c60676cbba5","occurredAt":"2026-11-22T23:23:57.8309042+00:00","projectId":"01a20592-8bc6-7d0f-a961-3a1733ab154a","actor":"local","runId":"01a20592-d1db-7d67-9f97-1c95b83a1515","sequence":2}'),
	('01a20592-d1db-7d67-9f97-1c95b83a1515', 6, 'StepCompleted', '2026-11-22 23:23:57.886201+00', '{"stepId":"s02","attempt":1,"fence":8,"outcome":{"outputs":{},"ledger":[],"counts":{},"warnings":[],"logKey":"old/01a20592-d1db-7d67-9f97-1c95b83a1515/s02/8/log.ndjson","rowsOut":0,"rowsRejected":0,"rowsIn":0},"id":"01a20592-d23e-7231-9b4b-dccfb5c34b84","occurredAt":"2026-11-22T23:23:57.8862018+00:00","projectId":"01a20592-8bc6-7d0f-a961-3a1733ab154a","actor":"log@vm:10058","runId":"01a20592-d1db-7d67-9f97-1c95b83a1515","sequence":6}'),
	('01a20592-d1db-7d67-9f97-1c95b83a1515', 10, 'StepCompleted', '2026-11-22 23:23:57.915309+00', '{"stepId":"s04","attempt":1,"fence":10,"outcome":{"outputs":{},"ledger":[],"counts":{},"warnings":[],"logKey":"old/01a20592-d1db-7d67-9f97-1c95b83a1515/s04/10/log.ndjson","rowsOut":0,"rowsRejected":0,"rowsIn":0},"id":"01a20592-d25b-74df-8cc2-10e943146e8f","occurredAt":"2026-11-22T23:23:57.915309+00:00","projectId":"01a20592-8bc6-7d0f-a961-3a1733ab154a","actor":"log@vm:10058","runId":"01a20592-d1db-7d67-9f97-1c95b83a1515","sequence":10}'),
	('01a20592-d1db-7d67-9f97-1c95b83a1515', 14, 'StepCompleted', '2026-11-22 23:23:57.943138+00', '{"stepId":"s06","attempt":1,"fence":12,"outcome":{"outputs":{},"ledger":[],"counts":{},"warnings":[],"logKey":"old/01a20592-d1db-7d67-9f97-1c95b83a1515/s06/12/log.ndjson","rowsOut":0,"rowsRejected":0,"rowsIn":0},"id":"01a20592-d277-77ed-beb8-62c0e89264e0","occurredAt":"2026-11-22T23:23:57.9431386+00:00","projectId":"01a20592-8bc6-7d0f-a961-3a1733ab154a","actor":"log@vm:10058","runId":"01a20592-d1db-7d67-9f97-1c95b83a1515","sequence":14}'),
	('01a20592-d1db-7d67-9f97-1c95b83a1515', 18, 'StepCompleted', '2026-11-22 23:23:57.994776+00', '{"stepId":"s08","attempt":1,"fence":14,"outcome":{"outputs":{},"ledger":[],"counts":{},"warnings":[],"logKey":"old/01a20592-d1db-7d67-9f97-1c95b83a1515/s08/14/log.ndjson","rowsOut":0,"rowsRejected":0,"rowsIn":0},"id":"01a20592-d2aa-7809-96f9-a455b5d304bc","occurredAt":"2026-11-22T23:23:57.994776+00:00","projectId":"01a20592-8bc6-7d0f-a961-3a1733ab154a","actor":"log@vm:10058","runId":"01a20592-d1db-7d67-9f97-1c95b83a1515","sequence":18}');


--
-- Data for Name: migration; Type: TABLE DATA; Schema: runs; Owner: runs
--

INSERT INTO runs.migration VALUES
	('0001_runs.sql', '686b0ac0ea81da60ffa999c38dfe859715943cc870605ca9415214d034e58d2e', '2026-11-22 23:23:35.276762+00'),
	('0002_lost_at.sql', '4d74682a273a1bd9fe7e627b473d186803c16fa4e83ddc887dba63890229bee7', '2026-11-22 23:23:35.423345+00');


--
-- Data for Name: plan; Type: TABLE DATA; Schema: runs; Owner: runs
--

INSERT INTO runs.plan VALUES
	('01a20592-9147-7277-8691-2aaa1398eb31', '{"pipeline":"finished","params":[],"limits":{"whenBusy":0},"steps":[{"id":"read","operator":"ingest","major":1,"config":{"from":{"folder":"/srv/landing","files":"*.csv","onlyNew":true}},"inputs":[],"needs":[],"retry":{"times":0,"wait":"00:00:00","backoff":1,"on":0},"dependencies":[]},{"id":"clean","operator":"cleanse","major":1,"config":{"checks":[{"check":"notNull","columns":["name"],"else":"reject"}]},"inputs":[{"name":"read","step":"read","port":"out"}],"needs":[],"retry":{"times":0,"wait":"00:00:00","backoff":1,"on":0},"publish":"names","dependencies":["read"]}]}'),
	('01a20592-91a3-7250-8f6f-bd19dc871804', '{"pipeline":"failed","params":[],"limits":{"whenBusy":0},"steps":[{"id":"first","operator":"log","major":1,"config":{"message":"begins"},"inputs":[],"needs":[],"retry":{"times":0,"wait":"00:00:00","backoff":1,"on":0},"dependencies":[]},{"id":"read","operator":"ingest","major":1,"config":{"from":{"upload":"00000000-0000-0000-0000-000000000001"}},"inputs":[],"needs":["first"],"retry":{"times":0,"wait":"00:00:00","backoff":1,"on":0},"dependencies":["first"]}]}'),
	('01a20592-91cd-7a46-adaf-0c5d083b659e', '{"pipeline":"waiting","params":[{"name":"minutes","type":"text","default":"15s"}],"limits":{"concurrency":1,"whenBusy":0},"steps":[{"id":"first","operator":"log","major":1,"config":{"message":"begins"},"inputs":[],"needs":[],"retry":{"times":0,"wait":"00:00:00","backoff":1,"on":0},"dependencies":[]},{"id":"pause","operator":"wait","major":1,"config":{"for":"15s"},"inputs":[],"needs":["first"],"retry":{"times":0,"wait":"00:00:00","backoff":1,"on":0},"dependencies":["first"]},{"id":"last","operator":"log","major":1,"config":{"message":"ends"},"inputs":[],"needs":["pause"],"retry":{"times":0,"wait":"00:00:00","backoff":1,"on":0},"dependencies":["pause"]}]}'),
	('01a20592-9252-712e-98fd-0ace9fe0de9d', '{"pipeline":"chain","params":[],"limits":{"whenBusy":0},"steps":[{"id":"s01","operator":"log","major":1,"config":{"message":"x"},"inputs":[],"needs":[],"retry":{"times":0,"wait":"00:00:00","backoff":1,"on":0},"dependencies":[]},{"id":"s02","operator":"log","major":1,"config":{"message":"x"},"inputs":[],"needs":["s01"],"retry":{"times":0,"wait":"00:00:00","backoff":1,"on":0},"dependencies":["s01"]},{"id":"s03","operator":"log","major":1,"config":{"message":"x"},"inputs":[],"needs":["s02"],"retry":{"times":0,"wait":"00:00:00","backoff":1,"on":0},"dependencies":["s02"]},{"id":"s04","operator":"log","major":1,"config":{"message":"x"},"inputs":[],"needs":["s03"],"retry":{"times":0,"wait":"00:00:00","backoff":1,"on":0},"dependencies":["s03"]},{"id":"s05","operator":"log","major":1,"config":{"message":"x"},"inputs":[],"needs":["s04"],"retry":{"times":0,"wait":"00:00:00","backoff":1,"on":0},"dependencies":["s04"]},{"id":"s06","operator":"log","major":1,"config":{"message":"x"},"inputs":[],"needs":["s05"],"retry":{"times":0,"wait":"00:00:00","backoff":1,"on":0},"dependencies":["s05"]},{"id":"s07","operator":"log","major":1,"config":{"message":"x"},"inputs":[],"needs":["s06"],"retry":{"times":0,"wait":"00:00:00","backoff":1,"on":0},"dependencies":["s06"]},{"id":"s08","operator":"log","major":1,"config":{"message":"x"},"inputs":[],"needs":["s07"],"retry":{"times":0,"wait":"00:00:00","backoff":1,"on":0},"dependencies":["s07"]},{"id":"s09","operator":"log","major":1,"config":{"message":"x"},"inputs":[],"needs":["s08"],"retry":{"times":0,"wait":"00:00:00","backoff":1,"on":0},"dependencies":["s08"]},{"id":"s10","operator":"log","major":1,"config":{"message":"x"},"inputs":[],"needs":["s09"],"retry":{"times":0,"wait":"00:00:00","backoff":1,"on":0},"dependencies":["s09"]},{"id":"s11","operator":"log","major":1,"config":{"message":"x"},"inputs":[],"needs":["s10"],"retry":{"times":0,"wait":"00:00:00","backoff":1,"on":0},"dependencies":["s10"]},{"id":"s12","operator":"log","major":1,"config":{"message":"x"},"inputs":[],"needs":["s11"],"retry":{"times":0,"wait":"00:00:00","backoff":1,"on":0},"dependencies":["s11"]},{"id":"s13","operator":"log","major":1,"config":{"message":"x"},"inputs":[],"needs":["s12"],"retry":{"times":0,"wait":"00:00:00","backoff":1,"on":0},"dependencies":["s12"]},{"id":"s14","operator":"log","major":1,"config":{"message":"x"},"inputs":[],"needs":["s13"],"retry":{"times":0,"wait":"00:00:00","backoff":1,"on":0},"dependencies":["s13"]},{"id":"s15","operator":"log","major":1,"config":{"message":"x"},"inputs":[],"needs":["s14"],"retry":{"times":0,"wait":"00:00:00","backoff":1,"on":0},"dependencies":["s14"]},{"id":"s16","operator":"log","major":1,"config":{"message":"x"},"inputs":[],"needs":["s15"],"retry":{"times":0,"wait":"00:00:00","backoff":1,"on":0},"dependencies":["s15"]},{"id":"s17","operator":"log","major":1,"config":{"message":"x"},"inputs":[],"needs":["s16"],"retry":{"times":0,"wait":"00:00:00","backoff":1,"on":0},"dependencies":["s16"]},{"id":"s18","operator":"log","major":1,"config":{"message":"x"},"inputs":[],"needs":["s17"],"retry":{"times":0,"wait":"00:00:00","backoff":1,"on":0},"dependencies":["s17"]},{"id":"s19","operator":"log","major":1,"config":{"message":"x"},"inputs":[],"needs":["s18"],"retry":{"times":0,"wait":"00:00:00","backoff":1,"on":0},"dependencies":["s18"]},{"id":"s20","operator":"log","major":1,"config":{"message":"x"},"inputs":[],"needs":["s19"],"retry":{"times":0,"wait":"00:00:00","backoff":1,"on":0},"dependencies":["s19"]},{"id":"s21","operator":"log","major":1,"config":{"message":"x"},"inputs":[],"needs":["s20"],"retry":{"times":0,"wait":"00:00:00","backoff":1,"on":0},"dependencies":["s20"]},{"id":"s22","operator":"log","major":1,"config":{"message":"x"},"inputs":[],"needs":["s21"],"retry":{"times":0,"wait":"00:00:00","backoff":1,"on":0},"dependencies":["s21"]},{"id":"s23","operator":"log","major":1,"config":{"message":"x"},"inputs":[],"needs":["s22"],"retry":{"times":0,"wait":"00:00:00","backoff":1,"on":0},"dependencies":["s22"]},{"id":"s24","operator":"log","major":1,"config":{"message":"x"},"inputs":[],"needs":["s23"],"retry":{"times":0,"wait":"00:00:00","backoff":1,"on":0},"dependencies":["s23"]},{"id":"s25","operator":"log","major":1,"config":{"message":"x"},"inputs":[],"needs":["s24"],"retry":{"times":0,"wait":"00:00:00","backoff":1,"on":0},"dependencies":["s24"]},{"id":"s26","operator":"log","major":1,"config":{"message":"x"},"inputs":[],"needs":["s25"],"retry":{"times":0,"wait":"00:00:00","backoff":1,"on":0},"dependencies":["s25"]},{"id":"s27","operator":"log","major":1,"config":{"message":"x"},"inputs":[],"needs":["s26"],"retry":{"times":0,"wait":"00:00:00","backoff":1,"on":0},"dependencies":["s26"]},{"id":"s28","operator":"log","major":1,"config":{"message":"x"},"inputs":[],"needs":["s27"],"retry":{"times":0,"wait":"00:00:00","backoff":1,"on":0},"dependencies":["s27"]},{"id":"s29","operator":"log","major":1,"config":{"message":"x"},"inputs":[],"needs":["s28"],"retry":{"times":0,"wait":"00:00:00","backoff":1,"on":0},"dependencies":["s28"]},{"id":"s30","operator":"log","major":1,"config":{"message":"x"},"inputs":[],"needs":["s29"],"retry":{"times":0,"wait":"00:00:00","backoff":1,"on":0},"dependencies":["s29"]}]}');


--
-- Data for Name: run; Type: TABLE DATA; Schema: runs; Owner: runs
--

INSERT INTO runs.run VALUES
	('01a20592-d1db-7d67-9f97-1c95b83a1515', 'Running', '01a20592-8bc6-7d0f-a961-3a1733ab154a', 'old', '01a20592-9252-7bfa-9470-4d51833f175a', 'chain', 1, '01a20592-9252-712e-98fd-0ace9fe0de9d', '{}', '2026-11-22', '2026-11-22 00:00:00+00', '2026-11-23 00:00:00+00', 'api', 'local', NULL, NULL, NULL, 18, NULL, NULL, '2026-11-22 23:23:57.814136+00', '2026-11-22 23:23:57.814136+00', '2026-11-22 23:23:57.830899+00', NULL, NULL),
	('01a20592-955e-7fe3-a2ab-80b34ecf965c', 'Failed', '01a20592-8bc6-7d0f-a961-3a1733ab154a', 'old', '01a20592-91a3-7d01-aac5-1dfb5c4d2d3b', 'failed', 1, '01a20592-91a3-7250-8f6f-bd19dc871804', '{}', '2026-11-22', '2026-11-22 00:00:00+00', '2026-11-23 00:00:00+00', 'api', 'local', NULL, NULL, NULL, 7, '{"code": "uploadUnknown", "path": "from.upload", "message": "There is no upload 00000000-0000-0000-0000-000000000001 in this project.", "transient": false}', 'read', '2026-11-22 23:23:42.348375+00', '2026-11-22 23:23:42.348375+00', '2026-11-22 23:23:42.503907+00', NULL, '2026-11-22 23:23:44.150631+00'),
	('01a20592-926a-7ca6-8cb8-e1155ee5d337', 'Completed', '01a20592-8bc6-7d0f-a961-3a1733ab154a', 'old', '01a20592-9136-744d-ab2b-d80e094a8999', 'finished', 1, '01a20592-9147-7277-8691-2aaa1398eb31', '{}', '2026-11-22', '2026-11-22 00:00:00+00', '2026-11-23 00:00:00+00', 'api', 'local', NULL, NULL, NULL, 7, NULL, NULL, '2026-11-22 23:23:41.993431+00', '2026-11-22 23:23:41.993431+00', '2026-11-22 23:23:42.43923+00', NULL, '2026-11-22 23:23:44.181149+00'),
	('01a20592-c4fe-7860-86de-5db5adfeb911', 'Running', '01a20592-8bc6-7d0f-a961-3a1733ab154a', 'old', '01a20592-91cc-7ebd-860d-8e80e4f7222d', 'waiting', 1, '01a20592-91cd-7a46-adaf-0c5d083b659e', '{"minutes": "15s"}', '2026-11-22', '2026-11-22 00:00:00+00', '2026-11-23 00:00:00+00', 'api', 'local', NULL, NULL, 1, 6, NULL, NULL, '2026-11-22 23:23:54.505504+00', '2026-11-22 23:23:54.505504+00', '2026-11-22 23:23:54.578261+00', NULL, NULL),
	('01a20592-c5d8-79ec-8125-1f0b9f77896e', 'Queued', '01a20592-8bc6-7d0f-a961-3a1733ab154a', 'old', '01a20592-91cc-7ebd-860d-8e80e4f7222d', 'waiting', 1, '01a20592-91cd-7a46-adaf-0c5d083b659e', '{"minutes": "15s"}', '2026-11-22', '2026-11-22 00:00:00+00', '2026-11-23 00:00:00+00', 'api', 'local', NULL, NULL, 1, 1, NULL, NULL, '2026-11-22 23:23:54.719914+00', NULL, NULL, NULL, NULL);


--
-- Data for Name: state; Type: TABLE DATA; Schema: runs; Owner: runs
--

INSERT INTO runs.state VALUES
	('01a20592-9136-744d-ab2b-d80e094a8999', 'read', '{"files": [{"hash": "ef5e1006af53336782a101726b596f35", "path": "/srv/landing/x.csv", "size": 19}], "columns": [{"name": "id", "type": "int64"}, {"name": "name", "type": "text"}], "version": 1}', '01a20592-926a-7ca6-8cb8-e1155ee5d337', '2026-11-22 23:23:44.25709+00');


--
-- Data for Name: step; Type: TABLE DATA; Schema: runs; Owner: runs
--

INSERT INTO runs.step VALUES
	('01a20592-955e-7fe3-a2ab-80b34ecf965c', 'first', 0, 'old', 'log', 'Completed', 1, 0, 1, 1, 0, 0, 'log@vm:10058', '01a20592-9693-79b9-a4cc-b26ae149764f', NULL, NULL, '2026-11-22 23:23:42.611554+00', '2026-11-22 23:23:42.698187+00', '2026-11-22 23:23:42.971317+00', NULL, NULL, NULL, '{"counts": {}, "ledger": [], "logKey": "old/01a20592-955e-7fe3-a2ab-80b34ecf965c/first/1/log.ndjson", "rowsIn": 0, "outputs": {}, "rowsOut": 0, "warnings": [], "rowsRejected": 0}', NULL, NULL),
	('01a20592-926a-7ca6-8cb8-e1155ee5d337', 'read', 0, 'old', 'ingest', 'Completed', 1, 0, 1, 2, 0, 0, 'ingest@vm:10058', '01a20592-9681-7c17-b78d-86d29e2eb73f', NULL, NULL, '2026-11-22 23:23:42.584167+00', '2026-11-22 23:23:42.720318+00', '2026-11-22 23:23:43.692011+00', NULL, NULL, NULL, '{"state": {"files": [{"hash": "ef5e1006af53336782a101726b596f35", "path": "/srv/landing/x.csv", "size": 19}], "columns": [{"name": "id", "type": "int64"}, {"name": "name", "type": "text"}], "version": 1}, "counts": {"files": 1}, "ledger": [{"in": 3, "out": 3, "added": 0, "input": "x.csv", "merged": 0, "reasons": [], "balances": true, "filtered": 0, "rejected": 0}], "logKey": "old/01a20592-926a-7ca6-8cb8-e1155ee5d337/read/2/log.ndjson", "rowsIn": 3, "outputs": {"out": {"rows": 3, "bytes": 329, "files": [{"key": "old/01a20592-926a-7ca6-8cb8-e1155ee5d337/read/2/out-0001.parquet", "rows": 3, "bytes": 329, "origin": {"gaps": [], "source": "/srv/landing/x.csv@6fed70dfc359ebb1"}, "sha256": "d9741e8606d1a83e816f49fc8d9f7c793377dc80d2a5b0448c29b47e5cbabdcb"}], "schema": {"columns": [{"name": "id", "type": "int64", "hidden": false, "nullable": true}, {"name": "name", "type": "text", "hidden": false, "nullable": true}, {"name": "_source", "type": "text", "hidden": true, "nullable": false}, {"name": "_row", "type": "int64", "hidden": true, "nullable": false}, {"name": "_key", "type": "text", "hidden": true, "nullable": false}]}}}, "rowsOut": 3, "warnings": [], "rowsRejected": 0}', NULL, NULL),
	('01a20592-955e-7fe3-a2ab-80b34ecf965c', 'read', 1, 'old', 'ingest', 'Failed', 1, 0, 1, 3, 0, 0, 'ingest@vm:10058', '01a20592-9801-75ed-acb4-50df816b29d1', NULL, NULL, '2026-11-22 23:23:42.977555+00', '2026-11-22 23:23:43.020064+00', '2026-11-22 23:23:44.138692+00', NULL, NULL, NULL, '{"counts": {}, "ledger": [], "logKey": "old/01a20592-955e-7fe3-a2ab-80b34ecf965c/read/3/log.ndjson", "rowsIn": 0, "outputs": {}, "rowsOut": 0, "warnings": [], "rowsRejected": 0}', '{"code": "uploadUnknown", "path": "from.upload", "message": "There is no upload 00000000-0000-0000-0000-000000000001 in this project.", "transient": false}', NULL),
	('01a20592-926a-7ca6-8cb8-e1155ee5d337', 'clean', 1, 'old', 'cleanse', 'Completed', 1, 0, 1, 4, 0, 0, 'cleanse@vm:10058', '01a20592-9ace-7cd4-8e31-6bca58d005e0', NULL, NULL, '2026-11-22 23:23:43.693819+00', '2026-11-22 23:23:43.700311+00', '2026-11-22 23:23:44.180924+00', NULL, NULL, NULL, '{"counts": {}, "ledger": [{"in": 3, "out": 2, "added": 0, "input": "read", "merged": 0, "reasons": [{"kind": "rejected", "rows": 1, "reason": "notNull(name)"}], "balances": true, "filtered": 0, "rejected": 1}], "logKey": "old/01a20592-926a-7ca6-8cb8-e1155ee5d337/clean/4/log.ndjson", "rowsIn": 3, "outputs": {"out": {"rows": 2, "bytes": 912, "files": [{"key": "old/01a20592-926a-7ca6-8cb8-e1155ee5d337/clean/4/out-0001.parquet", "rows": 2, "bytes": 912, "sha256": "07a4de0153b4408304732c699d47dc959becb225d02293d4b76265935dad84ed"}], "schema": {"columns": [{"name": "id", "type": "int64", "hidden": false, "nullable": true}, {"name": "name", "type": "text", "hidden": false, "nullable": false}, {"name": "_source", "type": "text", "hidden": true, "nullable": false}, {"name": "_row", "type": "int64", "hidden": true, "nullable": false}, {"name": "_key", "type": "text", "hidden": true, "nullable": false}]}}, "rejected": {"rows": 1, "bytes": 1598, "files": [{"key": "old/01a20592-926a-7ca6-8cb8-e1155ee5d337/clean/4/rejected-0001.parquet", "rows": 1, "bytes": 1598, "sha256": "09c5f203720dd2f1aa6021d5a377efc5169ba53b06bf6ad7210e653bd5eb2d41"}], "schema": {"columns": [{"name": "_source", "type": "text", "hidden": true, "nullable": false}, {"name": "_row", "type": "int64", "hidden": true, "nullable": false}, {"name": "_key", "type": "text", "hidden": true, "nullable": false}, {"name": "ingested", "type": "json", "hidden": false, "nullable": false}, {"name": "rejected", "type": "json", "hidden": false, "nullable": false}, {"name": "reasons", "type": "json", "hidden": false, "nullable": false}]}}}, "rowsOut": 2, "warnings": [], "rowsRejected": 1}', NULL, NULL),
	('01a20592-c4fe-7860-86de-5db5adfeb911', 'last', 2, 'old', 'log', 'Pending', 0, 0, 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a20592-c4fe-7860-86de-5db5adfeb911', 'first', 0, 'old', 'log', 'Completed', 1, 0, 1, 5, 0, 0, 'log@vm:10058', '01a20592-c558-7dbe-aebf-e23d682a8cba', NULL, NULL, '2026-11-22 23:23:54.584416+00', '2026-11-22 23:23:54.609716+00', '2026-11-22 23:23:54.625575+00', NULL, NULL, NULL, '{"counts": {}, "ledger": [], "logKey": "old/01a20592-c4fe-7860-86de-5db5adfeb911/first/5/log.ndjson", "rowsIn": 0, "outputs": {}, "rowsOut": 0, "warnings": [], "rowsRejected": 0}', NULL, NULL),
	('01a20592-c4fe-7860-86de-5db5adfeb911', 'pause', 1, 'old', 'wait', 'Deferred', 1, 0, 1, 6, 0, 0, 'wait@vm:10058', '01a20592-c581-7715-9cac-e9de8743f0af', NULL, NULL, '2026-11-22 23:23:54.625753+00', '2026-11-22 23:23:54.631852+00', NULL, '2026-11-22 23:24:09.670473+00', NULL, '{"key": "2026-11-22T23:24:09.6704739+00:00", "count": 1}', NULL, NULL, NULL),
	('01a20592-c5d8-79ec-8125-1f0b9f77896e', 'first', 0, 'old', 'log', 'Pending', 0, 0, 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a20592-c5d8-79ec-8125-1f0b9f77896e', 'last', 2, 'old', 'log', 'Pending', 0, 0, 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a20592-c5d8-79ec-8125-1f0b9f77896e', 'pause', 1, 'old', 'wait', 'Pending', 0, 0, 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a20592-d1db-7d67-9f97-1c95b83a1515', 's01', 0, 'old', 'log', 'Completed', 1, 0, 1, 7, 0, 0, 'log@vm:10058', '01a20592-d211-7feb-b280-d8dca3f2ca5e', NULL, NULL, '2026-11-22 23:23:57.841078+00', '2026-11-22 23:23:57.853139+00', '2026-11-22 23:23:57.867289+00', NULL, NULL, NULL, '{"counts": {}, "ledger": [], "logKey": "old/01a20592-d1db-7d67-9f97-1c95b83a1515/s01/7/log.ndjson", "rowsIn": 0, "outputs": {}, "rowsOut": 0, "warnings": [], "rowsRejected": 0}', NULL, NULL),
	('01a20592-d1db-7d67-9f97-1c95b83a1515', 's02', 1, 'old', 'log', 'Completed', 1, 0, 1, 8, 0, 0, 'log@vm:10058', '01a20592-d22b-7398-8b06-fdb1aaedb4a3', NULL, NULL, '2026-11-22 23:23:57.867468+00', '2026-11-22 23:23:57.875033+00', '2026-11-22 23:23:57.886196+00', NULL, NULL, NULL, '{"counts": {}, "ledger": [], "logKey": "old/01a20592-d1db-7d67-9f97-1c95b83a1515/s02/8/log.ndjson", "rowsIn": 0, "outputs": {}, "rowsOut": 0, "warnings": [], "rowsRejected": 0}', NULL, NULL),
	('01a20592-d1db-7d67-9f97-1c95b83a1515', 's03', 2, 'old', 'log', 'Completed', 1, 0, 1, 9, 0, 0, 'log@vm:10058', '01a20592-d23e-7a3b-90e8-86698e26dadb', NULL, NULL, '2026-11-22 23:23:57.886323+00', '2026-11-22 23:23:57.889377+00', '2026-11-22 23:23:57.896681+00', NULL, NULL, NULL, '{"counts": {}, "ledger": [], "logKey": "old/01a20592-d1db-7d67-9f97-1c95b83a1515/s03/9/log.ndjson", "rowsIn": 0, "outputs": {}, "rowsOut": 0, "warnings": [], "rowsRejected": 0}', NULL, NULL),
	('01a20592-d1db-7d67-9f97-1c95b83a1515', 's04', 3, 'old', 'log', 'Completed', 1, 0, 1, 10, 0, 0, 'log@vm:10058', '01a20592-d248-785b-97d7-672e86cb9e6a', NULL, NULL, '2026-11-22 23:23:57.896812+00', '2026-11-22 23:23:57.89924+00', '2026-11-22 23:23:57.915304+00', NULL, NULL, NULL, '{"counts": {}, "ledger": [], "logKey": "old/01a20592-d1db-7d67-9f97-1c95b83a1515/s04/10/log.ndjson", "rowsIn": 0, "outputs": {}, "rowsOut": 0, "warnings": [], "rowsRejected": 0}', NULL, NULL),
	('01a20592-d1db-7d67-9f97-1c95b83a1515', 's05', 4, 'old', 'log', 'Completed', 1, 0, 1, 11, 0, 0, 'log@vm:10058', '01a20592-d25b-7a98-9339-01df49f3e0c9', NULL, NULL, '2026-11-22 23:23:57.915418+00', '2026-11-22 23:23:57.920789+00', '2026-11-22 23:23:57.930062+00', NULL, NULL, NULL, '{"counts": {}, "ledger": [], "logKey": "old/01a20592-d1db-7d67-9f97-1c95b83a1515/s05/11/log.ndjson", "rowsIn": 0, "outputs": {}, "rowsOut": 0, "warnings": [], "rowsRejected": 0}', NULL, NULL),
	('01a20592-d1db-7d67-9f97-1c95b83a1515', 's06', 5, 'old', 'log', 'Completed', 1, 0, 1, 12, 0, 0, 'log@vm:10058', '01a20592-d26a-74cd-b957-c7748b272742', NULL, NULL, '2026-11-22 23:23:57.930193+00', '2026-11-22 23:23:57.936035+00', '2026-11-22 23:23:57.943134+00', NULL, NULL, NULL, '{"counts": {}, "ledger": [], "logKey": "old/01a20592-d1db-7d67-9f97-1c95b83a1515/s06/12/log.ndjson", "rowsIn": 0, "outputs": {}, "rowsOut": 0, "warnings": [], "rowsRejected": 0}', NULL, NULL),
	('01a20592-d1db-7d67-9f97-1c95b83a1515', 's07', 6, 'old', 'log', 'Completed', 1, 0, 1, 13, 0, 0, 'log@vm:10058', '01a20592-d277-7bc8-bae1-5a0ba0013a45', NULL, NULL, '2026-11-22 23:23:57.943255+00', '2026-11-22 23:23:57.9461+00', '2026-11-22 23:23:57.958743+00', NULL, NULL, NULL, '{"counts": {}, "ledger": [], "logKey": "old/01a20592-d1db-7d67-9f97-1c95b83a1515/s07/13/log.ndjson", "rowsIn": 0, "outputs": {}, "rowsOut": 0, "warnings": [], "rowsRejected": 0}', NULL, NULL),
	('01a20592-d1db-7d67-9f97-1c95b83a1515', 's10', 9, 'old', 'log', 'Pending', 0, 0, 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a20592-d1db-7d67-9f97-1c95b83a1515', 's11', 10, 'old', 'log', 'Pending', 0, 0, 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a20592-d1db-7d67-9f97-1c95b83a1515', 's12', 11, 'old', 'log', 'Pending', 0, 0, 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a20592-d1db-7d67-9f97-1c95b83a1515', 's13', 12, 'old', 'log', 'Pending', 0, 0, 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a20592-d1db-7d67-9f97-1c95b83a1515', 's14', 13, 'old', 'log', 'Pending', 0, 0, 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a20592-d1db-7d67-9f97-1c95b83a1515', 's15', 14, 'old', 'log', 'Pending', 0, 0, 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a20592-d1db-7d67-9f97-1c95b83a1515', 's16', 15, 'old', 'log', 'Pending', 0, 0, 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a20592-d1db-7d67-9f97-1c95b83a1515', 's17', 16, 'old', 'log', 'Pending', 0, 0, 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a20592-d1db-7d67-9f97-1c95b83a1515', 's18', 17, 'old', 'log', 'Pending', 0, 0, 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a20592-d1db-7d67-9f97-1c95b83a1515', 's19', 18, 'old', 'log', 'Pending', 0, 0, 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a20592-d1db-7d67-9f97-1c95b83a1515', 's20', 19, 'old', 'log', 'Pending', 0, 0, 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a20592-d1db-7d67-9f97-1c95b83a1515', 's21', 20, 'old', 'log', 'Pending', 0, 0, 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a20592-d1db-7d67-9f97-1c95b83a1515', 's22', 21, 'old', 'log', 'Pending', 0, 0, 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a20592-d1db-7d67-9f97-1c95b83a1515', 's23', 22, 'old', 'log', 'Pending', 0, 0, 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a20592-d1db-7d67-9f97-1c95b83a1515', 's24', 23, 'old', 'log', 'Pending', 0, 0, 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a20592-d1db-7d67-9f97-1c95b83a1515', 's25', 24, 'old', 'log', 'Pending', 0, 0, 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a20592-d1db-7d67-9f97-1c95b83a1515', 's26', 25, 'old', 'log', 'Pending', 0, 0, 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a20592-d1db-7d67-9f97-1c95b83a1515', 's27', 26, 'old', 'log', 'Pending', 0, 0, 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a20592-d1db-7d67-9f97-1c95b83a1515', 's28', 27, 'old', 'log', 'Pending', 0, 0, 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a20592-d1db-7d67-9f97-1c95b83a1515', 's29', 28, 'old', 'log', 'Pending', 0, 0, 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a20592-d1db-7d67-9f97-1c95b83a1515', 's30', 29, 'old', 'log', 'Pending', 0, 0, 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a20592-d1db-7d67-9f97-1c95b83a1515', 's09', 8, 'old', 'log', 'Dispatched', 1, 0, 1, 0, 0, 0, NULL, NULL, NULL, NULL, '2026-11-22 23:23:57.994926+00', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a20592-d1db-7d67-9f97-1c95b83a1515', 's08', 7, 'old', 'log', 'Completed', 1, 0, 1, 14, 0, 0, 'log@vm:10058', '01a20592-d286-754a-84c3-93f21ddb4b01', NULL, NULL, '2026-11-22 23:23:57.958864+00', '2026-11-22 23:23:57.965922+00', '2026-11-22 23:23:57.99477+00', NULL, NULL, NULL, '{"counts": {}, "ledger": [], "logKey": "old/01a20592-d1db-7d67-9f97-1c95b83a1515/s08/14/log.ndjson", "rowsIn": 0, "outputs": {}, "rowsOut": 0, "warnings": [], "rowsRejected": 0}', NULL, NULL);


--
-- Name: outbox_id_seq; Type: SEQUENCE SET; Schema: bus; Owner: bus
--

SELECT pg_catalog.setval('bus.outbox_id_seq', 5, true);


--
-- Name: fence; Type: SEQUENCE SET; Schema: runs; Owner: runs
--

SELECT pg_catalog.setval('runs.fence', 14, true);


--
-- Name: inbox inbox_pkey; Type: CONSTRAINT; Schema: bus; Owner: bus
--

ALTER TABLE ONLY bus.inbox
    ADD CONSTRAINT inbox_pkey PRIMARY KEY (message_id, endpoint);


--
-- Name: migration migration_pkey; Type: CONSTRAINT; Schema: bus; Owner: bus
--

ALTER TABLE ONLY bus.migration
    ADD CONSTRAINT migration_pkey PRIMARY KEY (name);


--
-- Name: outbox outbox_pkey; Type: CONSTRAINT; Schema: bus; Owner: bus
--

ALTER TABLE ONLY bus.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (message_id);


--
-- Name: timer timer_pkey; Type: CONSTRAINT; Schema: bus; Owner: bus
--

ALTER TABLE ONLY bus.timer
    ADD CONSTRAINT timer_pkey PRIMARY KEY (id);


--
-- Name: dataset dataset_name; Type: CONSTRAINT; Schema: datasets; Owner: datasets
--

ALTER TABLE ONLY datasets.dataset
    ADD CONSTRAINT dataset_name UNIQUE (project, name);


--
-- Name: dataset dataset_pkey; Type: CONSTRAINT; Schema: datasets; Owner: datasets
--

ALTER TABLE ONLY datasets.dataset
    ADD CONSTRAINT dataset_pkey PRIMARY KEY (id);


--
-- Name: event_counter event_counter_pkey; Type: CONSTRAINT; Schema: datasets; Owner: datasets
--

ALTER TABLE ONLY datasets.event_counter
    ADD CONSTRAINT event_counter_pkey PRIMARY KEY (project_id);


--
-- Name: migration migration_pkey; Type: CONSTRAINT; Schema: datasets; Owner: datasets
--

ALTER TABLE ONLY datasets.migration
    ADD CONSTRAINT migration_pkey PRIMARY KEY (name);


--
-- Name: read_pin read_pin_pkey; Type: CONSTRAINT; Schema: datasets; Owner: datasets
--

ALTER TABLE ONLY datasets.read_pin
    ADD CONSTRAINT read_pin_pkey PRIMARY KEY (run_id, reference);


--
-- Name: upload upload_pkey; Type: CONSTRAINT; Schema: datasets; Owner: datasets
--

ALTER TABLE ONLY datasets.upload
    ADD CONSTRAINT upload_pkey PRIMARY KEY (id);


--
-- Name: version version_pkey; Type: CONSTRAINT; Schema: datasets; Owner: datasets
--

ALTER TABLE ONLY datasets.version
    ADD CONSTRAINT version_pkey PRIMARY KEY (dataset_id, number);


--
-- Name: connection connection_name; Type: CONSTRAINT; Schema: pipelines; Owner: pipelines
--

ALTER TABLE ONLY pipelines.connection
    ADD CONSTRAINT connection_name UNIQUE (project_id, name);


--
-- Name: connection connection_pkey; Type: CONSTRAINT; Schema: pipelines; Owner: pipelines
--

ALTER TABLE ONLY pipelines.connection
    ADD CONSTRAINT connection_pkey PRIMARY KEY (id);


--
-- Name: event_counter event_counter_pkey; Type: CONSTRAINT; Schema: pipelines; Owner: pipelines
--

ALTER TABLE ONLY pipelines.event_counter
    ADD CONSTRAINT event_counter_pkey PRIMARY KEY (project_id);


--
-- Name: migration migration_pkey; Type: CONSTRAINT; Schema: pipelines; Owner: pipelines
--

ALTER TABLE ONLY pipelines.migration
    ADD CONSTRAINT migration_pkey PRIMARY KEY (name);


--
-- Name: operator operator_pkey; Type: CONSTRAINT; Schema: pipelines; Owner: pipelines
--

ALTER TABLE ONLY pipelines.operator
    ADD CONSTRAINT operator_pkey PRIMARY KEY (kind, major);


--
-- Name: pipeline pipeline_name; Type: CONSTRAINT; Schema: pipelines; Owner: pipelines
--

ALTER TABLE ONLY pipelines.pipeline
    ADD CONSTRAINT pipeline_name UNIQUE (project_id, name);


--
-- Name: pipeline pipeline_pkey; Type: CONSTRAINT; Schema: pipelines; Owner: pipelines
--

ALTER TABLE ONLY pipelines.pipeline
    ADD CONSTRAINT pipeline_pkey PRIMARY KEY (id);


--
-- Name: project project_pkey; Type: CONSTRAINT; Schema: pipelines; Owner: pipelines
--

ALTER TABLE ONLY pipelines.project
    ADD CONSTRAINT project_pkey PRIMARY KEY (id);


--
-- Name: project project_slug; Type: CONSTRAINT; Schema: pipelines; Owner: pipelines
--

ALTER TABLE ONLY pipelines.project
    ADD CONSTRAINT project_slug UNIQUE (slug);


--
-- Name: version version_number; Type: CONSTRAINT; Schema: pipelines; Owner: pipelines
--

ALTER TABLE ONLY pipelines.version
    ADD CONSTRAINT version_number UNIQUE (pipeline_id, number);


--
-- Name: version version_pkey; Type: CONSTRAINT; Schema: pipelines; Owner: pipelines
--

ALTER TABLE ONLY pipelines.version
    ADD CONSTRAINT version_pkey PRIMARY KEY (id);


--
-- Name: event event_pkey; Type: CONSTRAINT; Schema: runs; Owner: runs
--

ALTER TABLE ONLY runs.event
    ADD CONSTRAINT event_pkey PRIMARY KEY (run_id, sequence);


--
-- Name: migration migration_pkey; Type: CONSTRAINT; Schema: runs; Owner: runs
--

ALTER TABLE ONLY runs.migration
    ADD CONSTRAINT migration_pkey PRIMARY KEY (name);


--
-- Name: plan plan_pkey; Type: CONSTRAINT; Schema: runs; Owner: runs
--

ALTER TABLE ONLY runs.plan
    ADD CONSTRAINT plan_pkey PRIMARY KEY (version_id);


--
-- Name: run run_pkey; Type: CONSTRAINT; Schema: runs; Owner: runs
--

ALTER TABLE ONLY runs.run
    ADD CONSTRAINT run_pkey PRIMARY KEY (id);


--
-- Name: state state_pkey; Type: CONSTRAINT; Schema: runs; Owner: runs
--

ALTER TABLE ONLY runs.state
    ADD CONSTRAINT state_pkey PRIMARY KEY (pipeline_id, step_id);


--
-- Name: step step_pkey; Type: CONSTRAINT; Schema: runs; Owner: runs
--

ALTER TABLE ONLY runs.step
    ADD CONSTRAINT step_pkey PRIMARY KEY (run_id, step_id);


--
-- Name: inbox_received_at; Type: INDEX; Schema: bus; Owner: bus
--

CREATE INDEX inbox_received_at ON bus.inbox USING brin (received_at) WITH (pages_per_range='16');


--
-- Name: outbox_created_at; Type: INDEX; Schema: bus; Owner: bus
--

CREATE INDEX outbox_created_at ON bus.outbox USING brin (created_at) WITH (pages_per_range='16');


--
-- Name: outbox_unsent; Type: INDEX; Schema: bus; Owner: bus
--

CREATE INDEX outbox_unsent ON bus.outbox USING btree (service, id) WHERE (sent_at IS NULL);


--
-- Name: timer_due_at; Type: INDEX; Schema: bus; Owner: bus
--

CREATE INDEX timer_due_at ON bus.timer USING btree (due_at);


--
-- Name: read_pin_version; Type: INDEX; Schema: datasets; Owner: datasets
--

CREATE INDEX read_pin_version ON datasets.read_pin USING btree (dataset_id, number);


--
-- Name: upload_project; Type: INDEX; Schema: datasets; Owner: datasets
--

CREATE INDEX upload_project ON datasets.upload USING btree (project, id DESC);


--
-- Name: version_created; Type: INDEX; Schema: datasets; Owner: datasets
--

CREATE INDEX version_created ON datasets.version USING btree (dataset_id, created_at);


--
-- Name: version_run; Type: INDEX; Schema: datasets; Owner: datasets
--

CREATE UNIQUE INDEX version_run ON datasets.version USING btree (dataset_id, run_id, step_id) WHERE (run_id IS NOT NULL);


--
-- Name: run_idempotency_key; Type: INDEX; Schema: runs; Owner: runs
--

CREATE UNIQUE INDEX run_idempotency_key ON runs.run USING btree (project, idempotency_key) WHERE (idempotency_key IS NOT NULL);


--
-- Name: run_project; Type: INDEX; Schema: runs; Owner: runs
--

CREATE INDEX run_project ON runs.run USING btree (project, id DESC);


--
-- Name: run_project_pipeline; Type: INDEX; Schema: runs; Owner: runs
--

CREATE INDEX run_project_pipeline ON runs.run USING btree (project, pipeline, id DESC);


--
-- Name: run_unfinished; Type: INDEX; Schema: runs; Owner: runs
--

CREATE INDEX run_unfinished ON runs.run USING btree (pipeline_id, id) WHERE (state = ANY (ARRAY['Queued'::text, 'Running'::text, 'Cancelling'::text]));


--
-- Name: step_dispatched; Type: INDEX; Schema: runs; Owner: runs
--

CREATE INDEX step_dispatched ON runs.step USING btree (dispatched_at) WHERE (state = 'Dispatched'::text);


--
-- Name: step_in_flight; Type: INDEX; Schema: runs; Owner: runs
--

CREATE INDEX step_in_flight ON runs.step USING btree (project) WHERE (state = ANY (ARRAY['Dispatched'::text, 'Running'::text]));


--
-- Name: step_ready; Type: INDEX; Schema: runs; Owner: runs
--

CREATE INDEX step_ready ON runs.step USING btree (project, ready_at) WHERE (state = 'Ready'::text);


--
-- Name: step_running; Type: INDEX; Schema: runs; Owner: runs
--

CREATE INDEX step_running ON runs.step USING btree (lease_until) WHERE (state = 'Running'::text);


--
-- Name: read_pin read_pin_dataset_id_number_fkey; Type: FK CONSTRAINT; Schema: datasets; Owner: datasets
--

ALTER TABLE ONLY datasets.read_pin
    ADD CONSTRAINT read_pin_dataset_id_number_fkey FOREIGN KEY (dataset_id, number) REFERENCES datasets.version(dataset_id, number);


--
-- Name: version version_dataset_id_fkey; Type: FK CONSTRAINT; Schema: datasets; Owner: datasets
--

ALTER TABLE ONLY datasets.version
    ADD CONSTRAINT version_dataset_id_fkey FOREIGN KEY (dataset_id) REFERENCES datasets.dataset(id) ON DELETE CASCADE;


--
-- Name: connection connection_project_id_fkey; Type: FK CONSTRAINT; Schema: pipelines; Owner: pipelines
--

ALTER TABLE ONLY pipelines.connection
    ADD CONSTRAINT connection_project_id_fkey FOREIGN KEY (project_id) REFERENCES pipelines.project(id);


--
-- Name: pipeline pipeline_project_id_fkey; Type: FK CONSTRAINT; Schema: pipelines; Owner: pipelines
--

ALTER TABLE ONLY pipelines.pipeline
    ADD CONSTRAINT pipeline_project_id_fkey FOREIGN KEY (project_id) REFERENCES pipelines.project(id);


--
-- Name: version version_pipeline_id_fkey; Type: FK CONSTRAINT; Schema: pipelines; Owner: pipelines
--

ALTER TABLE ONLY pipelines.version
    ADD CONSTRAINT version_pipeline_id_fkey FOREIGN KEY (pipeline_id) REFERENCES pipelines.pipeline(id);


--
-- Name: event event_run_id_fkey; Type: FK CONSTRAINT; Schema: runs; Owner: runs
--

ALTER TABLE ONLY runs.event
    ADD CONSTRAINT event_run_id_fkey FOREIGN KEY (run_id) REFERENCES runs.run(id) ON DELETE CASCADE;


--
-- Name: step step_run_id_fkey; Type: FK CONSTRAINT; Schema: runs; Owner: runs
--

ALTER TABLE ONLY runs.step
    ADD CONSTRAINT step_run_id_fkey FOREIGN KEY (run_id) REFERENCES runs.run(id) ON DELETE CASCADE;


--
-- Name: SCHEMA bus; Type: ACL; Schema: -; Owner: bus
--

GRANT USAGE ON SCHEMA bus TO pipelines;
GRANT USAGE ON SCHEMA bus TO runs;
GRANT USAGE ON SCHEMA bus TO datasets;


--
-- Name: TABLE inbox; Type: ACL; Schema: bus; Owner: bus
--

GRANT SELECT,INSERT ON TABLE bus.inbox TO pipelines;
GRANT SELECT,INSERT ON TABLE bus.inbox TO runs;
GRANT SELECT,INSERT ON TABLE bus.inbox TO datasets;


--
-- Name: TABLE outbox; Type: ACL; Schema: bus; Owner: bus
--

GRANT INSERT ON TABLE bus.outbox TO pipelines;
GRANT INSERT ON TABLE bus.outbox TO runs;
GRANT INSERT ON TABLE bus.outbox TO datasets;


--
-- Name: TABLE timer; Type: ACL; Schema: bus; Owner: bus
--

GRANT INSERT ON TABLE bus.timer TO pipelines;
GRANT INSERT ON TABLE bus.timer TO runs;
GRANT INSERT ON TABLE bus.timer TO datasets;


--
-- PostgreSQL database dump complete
--


