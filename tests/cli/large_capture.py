"""A capture, as text of tests/synth, with more of everything than a page can show: routes, threads, waits, long hostile paths."""
EVIL = "<img/src=x/onerror=alert(1)>&quot;'`"
FIRST = "cart stock user order search video image login price review".split()
SECOND = (
    "add get list find drop show sort head tail best next last open shut send".split()
)  # few enough to be no parameters
ROUTES, REQUESTS, THREADS, WAITS = 150, 24, 40, 250


def text():
    lines = ["preamble tier=a payload_limit=4096"]
    lines += [f'+0 task_info pid=10 tid={100 + t} comm="shop{EVIL[:8]}"' for t in range(THREADS)]
    events = []
    for t in range(THREADS):
        lines.append(
            f"+0.000001 socket_info socket={t + 1} family=inet type=stream origin=accepted state=established "
            f"local=10.0.0.1:80 remote=10.0.0.2:{40000 + t} next_in=1000 next_out=5000"
        )
    positions = {t: [1000, 5000] for t in range(THREADS)}
    for n in range(ROUTES * REQUESTS):
        thread, route, number = n % THREADS, n % ROUTES, n // ROUTES
        begin = 0.01 + (n // THREADS) * 0.1 + thread * 0.0001
        slow = number % 12 == 0
        length = 0.08 if slow else 0.002 + 0.0001 * (route % 10)
        path = f"/{FIRST[route % 10]}/{SECOND[route // 10]}/" + EVIL * 12
        request = f"GET {path} HTTP/1.1\\r\\nHost: shop\\r\\n\\r\\n"
        answer = "HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok"
        size, back = len(request.replace("\\r\\n", "##")), len(answer.replace("\\r\\n", "##"))
        at = positions[thread]
        events.append((begin, f"arrival socket={thread + 1} pos={at[0]} len={size}"))
        events.append(
            (begin + 0.00002, f'receive pid=10 tid={100 + thread} socket={thread + 1} pos={at[0]} data="{request}"')
        )
        waits = WAITS if slow else 1
        step = (length - 0.0002) / waits
        for w in range(waits):
            left = begin + 0.0001 + w * step
            events.append(
                (
                    left + step * 0.9,
                    f"off_cpu pid=10 tid={100 + thread} left=+{left:.6f} runnable=+{left + step * 0.8:.6f} state=1 syscall={(202, 230, 0)[w % 3]} "
                    f"waker={100 + (thread + 1) % THREADS}",
                )
            )
        events.append(
            (begin + length, f'send pid=10 tid={100 + thread} socket={thread + 1} pos={at[1]} data="{answer}"')
        )
        at[0] += size
        at[1] += back
    events.sort()
    return "\n".join(lines + [f"+{at:.6f} {event}" for at, event in events]) + "\n"
