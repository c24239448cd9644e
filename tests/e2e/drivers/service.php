<?php
// A service for a driver of PHP, under the built-in server: GET /work/ID makes the calls of a request and is answered with them.
$store = getenv('STORE');
$driver = getenv('DRIVER');
$mark = basename($_SERVER['REQUEST_URI']);
$calls = [];
function made($operation, $resource = null, $error = null, $rows = null) {
    global $calls;
    $calls[] = [$operation, $resource, $error, $rows];
}
if ($driver == 'pgsql') {
    $c = pg_pconnect("host=127.0.0.1 port=$store user=postgres dbname=postgres sslmode=disable");
    $fails = function ($sql, $operation, $resource, $values = null) use ($c) {
        $values === null ? pg_send_query($c, $sql) : pg_send_query_params($c, $sql, $values);
        made($operation, $resource, pg_result_error_field(pg_get_result($c), PGSQL_DIAG_SQLSTATE));
        while (pg_get_result($c));
    };
    pg_query($c, "SELECT 1 AS m_$mark");
    made('SELECT', null, null, 1);
    pg_query_params($c, 'INSERT INTO items VALUES ($1, $2)', [$mark, null]);
    made('INSERT', 'items', null, 1);
    pg_query_params($c, 'SELECT name FROM items WHERE id = $1', [$mark]);
    made('SELECT', 'items', null, 1);
    $fails('INSERT INTO items VALUES ($1, $2)', 'INSERT', 'items', [$mark, 'again']);
    $fails('SELECT * FROM missing', 'SELECT', 'missing');
    $fails('SELEC 1', 'SELEC', null);
    pg_prepare($c, "s$mark", 'INSERT INTO items VALUES ($1, $2)');
    made('PREPARE', 'items');
    for ($i = 0; $i < 10; $i++) {
        pg_execute($c, "s$mark", ["{$mark}p$i", 'prepared']);
        made('INSERT', 'items', null, 1);
    }
    pg_query($c, 'BEGIN');
    made('BEGIN');
    pg_query_params($c, 'DELETE FROM items WHERE id = $1', [$mark]);
    made('DELETE', 'items', null, 1);
    pg_query($c, 'ROLLBACK');
    made('ROLLBACK');
    pg_fetch_all(pg_query($c, "SELECT i, repeat('x', 200) FROM generate_series(1, 6000) i"));
    made('SELECT', 'generate_series', null, 6000);
    pg_query($c, "SELECT 1 AS e_$mark");
    made('SELECT', null, null, 1);
} else {
    $r = new Redis();
    $r->pconnect('127.0.0.1', (int) $store);
    $r->set("$mark:cart", 'PLANTED');
    made('SET', 'MARK:cart');
    $r->get("$mark:cart");
    made('GET', 'MARK:cart');
    $r->get("$mark:default");
    made('GET', 'MARK:default');
    $r->lPush("$mark:cart", 'x');
    made('LPUSH', 'MARK:cart', 'WRONGTYPE');
    $pipe = $r->pipeline();
    for ($i = 0; $i < 20; $i++) {
        $pipe->hSet("$mark:hash", "field$i", 'x');
        made('HSET', 'MARK:hash');
    }
    $pipe->exec();
    $r->set("$mark:blob", str_repeat('x', 1500000));
    made('SET', 'MARK:blob');
    $r->get("$mark:blob");
    made('GET', 'MARK:blob');
    $r->del("$mark:cart");
    made('DEL', 'MARK:cart');
}
header('Content-Type: application/json');
echo json_encode($calls);
