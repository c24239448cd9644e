"""Incidents of real software. The words for cause and culprit were written before the first run."""
from incidents import callers, cpus, deploys, files, memory, networks, nulls, queues, stops, stores
from incidents.stage import Incident

INCIDENTS = (
    Incident("php-fpm", "a queue", queues.fpm, r"queue|worker|pool|accept|listen", r"report"),
    Incident("php-fpm-unix", "a queue", queues.fpm_unix, r"queue|worker|pool|accept|listen", r"report"),
    Incident(
        "gunicorn-workers", "a queue", queues.gunicorn, r"queue|worker|pool|accept|listen", r"report", held_out=True
    ),
    Incident("gdb", "a stop", stops.gdb, r"stopped|trace", r"gdb"),
    Incident("gcore", "a stop", stops.gcore, r"stopped|trace", r"gcore|gdb", held_out=True),
    Incident("memory-limit", "memory", memory.limit, r"memory|page fault|reclaim", r"limit|cgroup|tailcap-incident"),
    Incident(
        "memory-neighbour", "memory", memory.neighbour, r"memory|page fault|reclaim", r"backup_job", held_out=True
    ),
    Incident(
        "search-domains", "network", networks.search, r"name|lookup|DNS", r"stock\.internal|search|127\.0\.0\.1:53"
    ),
    Incident("nagle", "network", networks.nagle, r"Nagle|delayed", r"127\.0\.0\.1:\d|reserve", held_out=True),
    Incident("slow-upload", "the caller", callers.upload, r"client|caller|request body|upload", r"127\.0\.0\.9"),
    Incident(
        "slow-reader",
        "the caller",
        callers.reader,
        r"client|caller|reader|receiver|window|buffer",
        r"127\.0\.0\.9",
        held_out=True,
    ),
    Incident("slow-reader-blocks", "the caller", callers.blocks, r"client.*read|reader", r"127\.0\.0\.9"),
    Incident("slow-reader-curl", "the caller", callers.curl, r"client.*read|reader", r"127\.0\.0\.9"),
    Incident("slow-reader-recorded", "the caller", callers.recorded, r"client.*read.*sleep", r"mirror\.py"),
    Incident("nagle-response", "network", networks.nagle_response, r"Nagle|delayed", r"127\.0\.0\.9"),
    Incident("freezer", "a stop", stops.freezer, r"stopped|frozen|froze", r"snapshot\.sh"),
    Incident("freezer-pause", "a stop", stops.pause, r"stopped|frozen|froze", r"python3"),
    Incident("cron-xz", "CPU", cpus.xz, r"CPU", r"\bxz\b"),
    Incident("cron-openssl", "CPU", cpus.openssl, r"CPU", r"openssl", held_out=True),
    Incident("nginx-reload", "a change", deploys.nginx, r"since|reload|changed", r"auth"),
    Incident("php-deploy", "a change", deploys.php, r"since|reload|changed", r"feature", held_out=True),
    Incident("slow-by-nature", "none", nulls.by_nature, null=True),
    Incident("long-poll", "none", nulls.long_poll, null=True),
    Incident("closed-loop", "none", nulls.closed_loop, null=True, held_out=True),
    Incident("redis-script", "a socket", stores.redis, r"service|redis|event loop|queue", r"EVAL"),
    Incident("mariadb-row", "a socket", stores.mariadb, r"lock", r"nightly_batch"),
    Incident("sqlite-busy", "a lock", files.sqlite, r"lock", r"rollup"),
    Incident("file-flock", "a lock", files.flock, r"lock", r"rotate"),
    Incident("file-fcntl", "a lock", files.posix, r"lock", r"rotate"),
    Incident("node-agent", "a queue", queues.node_agent, r"queue|pool|connection", r"report"),
    Incident("java-executor", "a queue", queues.executor, r"queue|worker|pool|thread", r"report"),
    Incident("libuv-hash", "a queue", queues.libuv_hash, r"pool|worker|threads", r"login"),
    Incident("libuv-zip", "a queue", queues.libuv_zip, r"pool|worker|threads", r"export", held_out=True),
    Incident("kill-stop", "a stop", stops.signal, r"stopped", r"snapshot\.sh|\bsh\b"),
    Incident("streams", "none", nulls.streams, null=True),
    Incident("lone", "none", nulls.lone, null=True),
    Incident("by-size", "none", nulls.by_size, null=True, held_out=True),
    Incident("warm-up", "none", nulls.warm_up, null=True),
)
