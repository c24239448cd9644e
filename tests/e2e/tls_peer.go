// A server and a client of TLS in Go: tls_peer serve ADDRESS CERTIFICATE KEY LOG, tls_peer get ADDRESS CERTIFICATE N.
//
// They log what their TLS connections moved, a line per connection: bytes read and written.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"
)

type counted struct {
	net.Conn
	in, out int
	once    sync.Once
	done    func(in, out int)
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.in += n
	return n, err
}

func (c *counted) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.out += n
	return n, err
}

func (c *counted) Close() error {
	c.once.Do(func() { c.done(c.in, c.out) })
	return c.Conn.Close()
}

type listener struct {
	net.Listener
	config *tls.Config
	log    *os.File
}

func (l listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &counted{Conn: tls.Server(c, l.config), done: func(in, out int) { fmt.Fprintln(l.log, in, out) }}, nil
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	if os.Args[1] == "serve" {
		pair, err := tls.LoadX509KeyPair(os.Args[3], os.Args[4])
		must(err)
		log, err := os.Create(os.Args[5])
		must(err)
		plain, err := net.Listen("tcp", os.Args[2])
		must(err)
		http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			fmt.Fprintf(w, "go says %s %d\n", r.URL.Path, len(body))
		})
		must(http.Serve(listener{plain, &tls.Config{Certificates: []tls.Certificate{pair}}, log}, nil))
	}
	pem, err := os.ReadFile(os.Args[3])
	must(err)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	n, err := strconv.Atoi(os.Args[4])
	must(err)
	client := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	for i := 0; i < n; i++ {
		response, err := client.Get(fmt.Sprintf("https://%s/%d", os.Args[2], i))
		must(err)
		body, err := io.ReadAll(response.Body)
		must(err)
		response.Body.Close()
		os.Stdout.Write(body)
	}
}
