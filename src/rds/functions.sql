-- What Aurora's own functions answer here. A file beside the data, which the control plane keeps up to date on every server,
-- says who is who and how far everybody is: readers write nothing, and know nothing of each other.
SET search_path = pg_catalog;

CREATE OR REPLACE FUNCTION pg_catalog.replab_aurora_status() RETURNS jsonb
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog
AS $$ SELECT pg_catalog.pg_read_file('replab_aurora.json', 0, 1048576, true)::pg_catalog.jsonb $$;

-- Aurora PostgreSQL counts like PostgreSQL since 13.3.
CREATE OR REPLACE FUNCTION pg_catalog.aurora_version() RETURNS text
LANGUAGE sql STABLE
AS $$ SELECT pg_catalog.split_part(pg_catalog.current_setting('server_version'), ' ', 1) $$;

-- By the server's own name: a copy of another server's data may hold that one's file for a moment.
CREATE OR REPLACE FUNCTION pg_catalog.aurora_db_instance_identifier() RETURNS text
LANGUAGE sql VOLATILE
AS $$
    SELECT pg_catalog.replab_aurora_status() -> 'instances' ->> pg_catalog.current_setting('cluster_name')
$$;

CREATE OR REPLACE FUNCTION pg_catalog.aurora_replica_status(
    OUT server_id text,
    OUT session_id text,
    OUT durable_lsn bigint,
    OUT highest_lsn_rcvd bigint,
    OUT current_read_lsn bigint,
    OUT cur_replay_latency_in_usec bigint,
    OUT active_txns integer,
    OUT is_current boolean,
    OUT last_transport_error integer,
    OUT last_error_timestamp timestamptz,
    OUT last_update_timestamp timestamptz,
    OUT feedback_xmin bigint,
    OUT feedback_epoch integer,
    OUT replica_lag_in_msec double precision,
    OUT log_stream_speed_in_kib_per_second double precision,
    OUT log_buffer_sequence_number bigint,
    OUT oldest_read_view_trx_id bigint,
    OUT oldest_read_view_lsn bigint,
    OUT pending_read_ios integer,
    OUT read_ios integer,
    OUT iops integer,
    OUT cpu double precision
) RETURNS SETOF record
LANGUAGE sql VOLATILE ROWS 16
AS $$
    SELECT r.server_id, r.session_id, r.durable_lsn, r.highest_lsn_rcvd, r.current_read_lsn,
           r.cur_replay_latency_in_usec, r.active_txns, true, 0, NULL::timestamptz,
           -- Of the instance that is asked it is always now.
           CASE WHEN r.node <> pg_catalog.current_setting('cluster_name') THEN r.last_update_timestamp END,
           r.feedback_xmin, r.feedback_epoch, r.replica_lag_in_msec, r.log_stream_speed_in_kib_per_second,
           r.log_buffer_sequence_number, NULL::bigint, r.oldest_read_view_lsn, NULL::integer, NULL::integer,
           NULL::integer, r.cpu
    FROM pg_catalog.jsonb_to_recordset(pg_catalog.replab_aurora_status() -> 'rows') AS r (
        node text, server_id text, session_id text, durable_lsn bigint, highest_lsn_rcvd bigint,
        current_read_lsn bigint, cur_replay_latency_in_usec bigint, active_txns integer,
        last_update_timestamp timestamptz, feedback_xmin bigint, feedback_epoch integer,
        replica_lag_in_msec double precision, log_stream_speed_in_kib_per_second double precision,
        log_buffer_sequence_number bigint, oldest_read_view_lsn bigint, cpu double precision)
$$;

-- A request to the control plane: another file, which a reader can write, too.
CREATE OR REPLACE FUNCTION pg_catalog.replab_aurora_request(request jsonb) RETURNS void
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    EXECUTE pg_catalog.format('COPY (SELECT %L) TO %L',
        (request || pg_catalog.jsonb_build_object('node', pg_catalog.current_setting('cluster_name')))::text,
        pg_catalog.current_setting('data_directory') || '/replab_aurora_request.'
            || pg_catalog.gen_random_uuid()::text);
END
$$;

CREATE OR REPLACE FUNCTION pg_catalog.aurora_inject_crash(kind text) RETURNS text
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    IF pg_catalog.lower(kind) NOT IN ('instance', 'dispatcher', 'node') OR kind IS NULL THEN
        RAISE EXCEPTION 'instance, dispatcher or node can crash, not %', kind USING ERRCODE = '22023';
    END IF;
    PERFORM pg_catalog.replab_aurora_request(
        pg_catalog.jsonb_build_object('inject', 'crash', 'kind', pg_catalog.lower(kind)));
    PERFORM pg_catalog.pg_sleep(60);
    RAISE EXCEPTION 'the control plane did not have the instance crash';
END
$$;

CREATE OR REPLACE FUNCTION pg_catalog.aurora_inject_replica_failure(
    percentage double precision, seconds integer, replica text) RETURNS text
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    IF percentage NOT BETWEEN 0 AND 100 OR percentage IS NULL THEN
        RAISE EXCEPTION 'the percentage is from 0 to 100, not %', percentage USING ERRCODE = '22023';
    END IF;
    IF seconds NOT BETWEEN 1 AND 3600 OR seconds IS NULL THEN
        RAISE EXCEPTION 'it lasts from 1 to 3600 seconds, not %', seconds USING ERRCODE = '22023';
    END IF;
    IF replica <> '' AND NOT EXISTS (
        SELECT FROM pg_catalog.aurora_replica_status() AS r
        WHERE pg_catalog.lower(r.server_id) = pg_catalog.lower(replica) AND r.session_id <> 'MASTER_SESSION_ID')
    THEN
        RAISE EXCEPTION 'there is no reader %', replica USING ERRCODE = '22023';
    END IF;
    PERFORM pg_catalog.replab_aurora_request(pg_catalog.jsonb_build_object('inject', 'replica-failure',
        'percentage', percentage, 'seconds', seconds, 'replica', coalesce(replica, '')));
    RETURN 'Injected replica failure';
END
$$;

-- The storage of these servers is no volume of many nodes, of which a part could fail.
CREATE OR REPLACE FUNCTION pg_catalog.aurora_inject_disk_failure(
    percentage double precision, index integer, is_disk boolean, seconds integer) RETURNS text
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    RAISE EXCEPTION 'a failing disk is not simulated here' USING ERRCODE = '0A000';
END
$$;

CREATE OR REPLACE FUNCTION pg_catalog.aurora_inject_disk_congestion(
    percentage double precision, index integer, is_disk boolean, seconds integer,
    minimum double precision, maximum double precision) RETURNS text
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
    RAISE EXCEPTION 'a congested disk is not simulated here' USING ERRCODE = '0A000';
END
$$;

-- For the master user, as on Aurora.
REVOKE EXECUTE ON FUNCTION pg_catalog.replab_aurora_request(jsonb),
    pg_catalog.aurora_inject_crash(text),
    pg_catalog.aurora_inject_replica_failure(double precision, integer, text),
    pg_catalog.aurora_inject_disk_failure(double precision, integer, boolean, integer),
    pg_catalog.aurora_inject_disk_congestion(
        double precision, integer, boolean, integer, double precision, double precision)
FROM PUBLIC;
