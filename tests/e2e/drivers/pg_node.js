// PostgreSQL from node: pg and its pool. GET /work/ID makes the calls of a request and is answered with them, as JSON: operation,
// resource, code of the error, rows. pg_node.js PORT STORE DRIVER
'use strict';
const crypto = require('crypto');
const http = require('http');
const [port, store, driver] = [+process.argv[2], +process.argv[3], process.argv[4]];

// Each statement takes a connection of the pool for itself, and says whose it is in a word that no request says.
async function single(query, mark, made) {
  const word = `k${crypto.createHash('md5').update(mark).digest('hex')}`;
  for (let n = 1; n <= 8; n++) {
    await query(`SELECT ${n} AS ${word}`);
    made('SELECT', null, null, 1);
  }
}

// Several statements on one connection.
async function held(take, mark, made) {
  const c = await take();
  const query = (text, values) => c.query(text, values);
  const fails = async (text, operation, resource, values) => {
    try {
      await query(text, values);
    } catch (e) {
      made(operation, resource, e.code);
    }
  };
  await query(`SELECT 1 AS m_${mark}`);
  made('SELECT', null, null, 1);
  await query(`INSERT INTO items VALUES ($1, $2)`, [mark, null]);
  made('INSERT', 'items', null, 1);
  await query(`SELECT name FROM items WHERE id = $1`, [mark]);
  made('SELECT', 'items', null, 1);
  await fails(`INSERT INTO items VALUES ($1, $2)`, 'INSERT', 'items', [mark, 'again']);
  await fails('SELECT * FROM missing', 'SELECT', 'missing');
  await fails('SELEC 1', 'SELEC', null);
  await query(`DELETE FROM items WHERE id = $1`, [mark]);
  made('DELETE', 'items', null, 1);
  await query(`SELECT 1 AS e_${mark}`);
  made('SELECT', null, null, 1);
  c.release();
}

async function prepare() {
  const { Pool } = require('pg');
  const pool = new Pool({ host: '127.0.0.1', port: store, user: 'postgres', database: 'postgres', max: 4 });
  if (driver === 'pg-held') return (mark, made) => held(() => pool.connect(), mark, made);
  return (mark, made) => single((text) => pool.query(text), mark, made);
}

prepare().then((work) => {
  http
    .createServer(async (request, response) => {
      const calls = [];
      await work(request.url.split('/').pop(), (...call) => calls.push([call[0], call[1] ?? null, call[2] ?? null, call[3] ?? null]));
      response.end(JSON.stringify(calls));
    })
    .listen(port, '127.0.0.1', 256);
});
