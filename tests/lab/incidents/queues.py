"""A pool of workers that slow requests of another route fill."""
from incidents.stage import free_port

APP = """
import time
def app(environ, start):
    time.sleep(0.4 if environ["PATH_INFO"].startswith("/report") else 0.002)
    start("200 OK", [("content-length", "2")])
    return [b"ok"]
"""
PLAN = ((30, "/item/#"), (0.5, "/report/#"), (0.5, "/report/9#"))


def fpm(stage):
    port, pool = free_port(), free_port()
    stage.script(
        "index.php",
        "<?php usleep(strpos($_SERVER['REQUEST_URI'], '/report') === 0 ? 400000 : 2000); echo 'ok';",
    )
    conf = stage.script(
        "fpm.conf",
        f"[global]\nerror_log={stage.folder}/fpm.log\ndaemonize=no\n[www]\nlisten=127.0.0.1:{pool}\nuser=www-data\n"
        "group=www-data\npm=static\npm.max_children=2\n",
    )
    workers = stage.serve("/usr/sbin/php-fpm8.2", "-y", conf, port=pool)
    conf = stage.script(
        "nginx.conf",
        f"""daemon off; worker_processes 1; pid {stage.folder}/nginx.pid; error_log {stage.folder}/nginx.log;
events {{ }}
http {{ access_log off; server {{ listen 127.0.0.1:{port}; location / {{
  include /etc/nginx/fastcgi_params; fastcgi_param SCRIPT_FILENAME {stage.folder}/index.php; fastcgi_pass 127.0.0.1:{pool}; }} }} }}
""",
    )
    proxy = stage.serve("/usr/sbin/nginx", "-c", conf, port=port)
    with stage.recording(*stage.child_of(proxy), *stage.child_of(workers)):
        stage.load(port, PLAN, 8)
    return {"hit": stage.slow("/item", 0.05), "what": "both workers of PHP-FPM are in GET /report/{}"}


def gunicorn(stage):
    port = free_port()
    stage.script("app.py", APP)
    server = stage.serve(
        "/usr/bin/gunicorn", "-w", "2", "-b", f"127.0.0.1:{port}", "app:app", port=port, cwd=stage.folder
    )
    with stage.recording(*stage.child_of(server)):
        stage.load(port, PLAN, 8)
    return {"hit": stage.slow("/item", 0.05), "what": "both sync workers of gunicorn are in GET /report/{}"}
