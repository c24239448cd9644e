package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/go-sql-driver/mysql"
	"github.com/lib/pq"
)

func open(driver, address string) *sql.DB {
	db, err := sql.Open(driver, address)
	must(err)
	db.SetMaxOpenConns(4)
	db.SetMaxIdleConns(4)
	var held []*sql.Conn
	for i := 0; i < 4; i++ { // they are older than the recording
		c, err := db.Conn(context.Background())
		must(err)
		must(c.PingContext(context.Background()))
		held = append(held, c)
	}
	for _, c := range held {
		c.Close()
	}
	return db
}

type session struct {
	*sql.Conn
	*calls
}

func (s session) execute(query string, values ...any) sql.Result {
	r, err := s.ExecContext(context.Background(), query, values...)
	must(err)
	return r
}

func (s session) count(query string, values ...any) (n int) {
	rows, err := s.QueryContext(context.Background(), query, values...)
	must(err)
	for rows.Next() {
		n++
	}
	must(rows.Err())
	rows.Close()
	return n
}

func (s session) fails(operation string, resource any, query string, values ...any) {
	_, err := s.ExecContext(context.Background(), query, values...)
	var of_pq *pq.Error
	var of_mysql *mysql.MySQLError
	if errors.As(err, &of_pq) {
		s.made(operation, resource, string(of_pq.Code), nil)
	} else if errors.As(err, &of_mysql) {
		s.made(operation, resource, fmt.Sprint(of_mysql.Number), nil)
	} else {
		panic(err)
	}
}

func (s session) mark(which, mark string) {
	s.count("SELECT 1 AS " + which + "_" + mark)
	s.made("SELECT", nil, nil, 1)
}

// What both stores are asked. first, second: the parameters of a statement; begins: the operation that begins a transaction.
func (s session) common(mark, first, second, begins string) {
	s.execute("INSERT INTO items VALUES ("+first+", "+second+")", mark, nil)
	s.made("PREPARE", "items", nil, nil)
	s.made("INSERT", "items", nil, 1)
	s.count("SELECT name FROM items WHERE id = "+first, mark)
	s.made("PREPARE", "items", nil, nil)
	s.made("SELECT", "items", nil, 1)
	s.made("PREPARE", "items", nil, nil)
	s.fails("INSERT", "items", "INSERT INTO items VALUES ("+first+", 'again')", mark)
	s.fails("SELECT", "missing", "SELECT * FROM missing")
	s.fails("PREPARE", "missing", "SELECT * FROM missing WHERE id = "+first, mark)
	s.fails("SELEC", nil, "SELEC 1")
	t, err := s.BeginTx(context.Background(), nil)
	must(err)
	s.made(begins, nil, nil, nil)
	prepared, err := t.Prepare("INSERT INTO items VALUES (" + first + ", " + second + ")")
	must(err)
	s.made("PREPARE", "items", nil, nil)
	for i := 0; i < 10; i++ {
		_, err = prepared.Exec(fmt.Sprint(mark, "p", i), "prepared")
		must(err)
		s.made("INSERT", "items", nil, 1)
	}
	prepared.Close()
	must(t.Rollback())
	s.made("ROLLBACK", nil, nil, nil)
}

func init() {
	drivers["pq"] = func(store string) work {
		db := open("postgres", "postgres://postgres@127.0.0.1:"+store+"/postgres?sslmode=disable")
		return func(mark string, c *calls) {
			connection, err := db.Conn(context.Background())
			must(err)
			defer connection.Close()
			s := session{connection, c}
			s.mark("m", mark)
			s.common(mark, "$1", "$2", "BEGIN")
			s.count("SELECT i, repeat('x', 200) FROM generate_series(1, 6000) i")
			c.made("SELECT", "generate_series", nil, 6000)
			t, err := connection.BeginTx(context.Background(), nil)
			must(err)
			c.made("BEGIN", nil, nil, nil)
			copied, err := t.Prepare(pq.CopyIn("items", "id", "name"))
			must(err)
			for i := 0; i < 200; i++ {
				_, err = copied.Exec(fmt.Sprint(mark, "c", i), "copied")
				must(err)
			}
			_, err = copied.Exec()
			must(err)
			copied.Close()
			c.made("COPY", "items", nil, 200)
			must(t.Commit())
			c.made("COMMIT", nil, nil, nil)
			s.mark("e", mark)
		}
	}
	drivers["mysql"] = func(store string) work {
		db := open("mysql", "tester:PLANTED7777@tcp(127.0.0.1:"+store+")/test")
		return func(mark string, c *calls) {
			connection, err := db.Conn(context.Background())
			must(err)
			defer connection.Close()
			s := session{connection, c}
			s.mark("m", mark)
			s.common(mark, "?", "?", "START")
			s.count("SELECT seq, repeat('x', 200) FROM seq_1_to_6000")
			c.made("SELECT", "seq_1_to_6000", nil, 6000)
			must(connection.PingContext(context.Background()))
			c.made("PING", nil, nil, nil)
			s.mark("e", mark)
		}
	}
}
