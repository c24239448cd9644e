// Servers and clients of HTTPS in Go, of every kind that crypto/tls offers:
//
//	tls_ways [FLAGS] serve ADDRESS LOG    logs the path of each request
//	tls_ways [FLAGS] get ADDRESS PATH...  asks for each in turn
//	tls_ways [FLAGS] leave ADDRESS        ends in the middle of a write
//	tls_ways [FLAGS] both LOG PATH...     in one process
package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

var (
	certificate = flag.String("certificate", "", "of the server, and of the client")
	key         = flag.String("key", "", "its key")
	most        = flag.String("most", "1.3", "version")
	suite       = flag.Uint("suite", 0, "the only one of TLS 1.2")
	p256        = flag.Bool("p256", false, "the server takes no other curve, and the client's first hello has none of that")
	mutual      = flag.Bool("mutual", false, "the client has a certificate, too")
	h1          = flag.Bool("h1", false, "no HTTP/2")
	fresh       = flag.Bool("fresh", false, "a connection for each request; sessions are resumed")
	proxied     = flag.String("proxied", "", "another address, behind a proxy")
	atOnce      = flag.Bool("at-once", false, "all requests at once")
)

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// Its connections begin with a line, which a proxy sends.
type behindProxy struct{ net.Listener }

func (l behindProxy) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	for b := []byte{0}; err == nil && b[0] != '\n'; {
		_, err = c.Read(b)
	}
	return c, err
}

func config() *tls.Config {
	pair, err := tls.LoadX509KeyPair(*certificate, *key)
	must(err)
	pem, err := os.ReadFile(*certificate)
	must(err)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	c := &tls.Config{RootCAs: pool, ClientCAs: pool, Certificates: []tls.Certificate{pair}}
	if *most == "1.2" {
		c.MaxVersion = tls.VersionTLS12
	}
	if *suite != 0 {
		c.CipherSuites = []uint16{uint16(*suite)}
	}
	return c
}

func serve(address, file string) string {
	log, err := os.Create(file)
	must(err)
	c := config()
	if *p256 {
		c.CurvePreferences = []tls.CurveID{tls.CurveP256}
	}
	if *mutual {
		c.ClientAuth = tls.RequireAnyClientCert
	}
	listener, err := net.Listen("tcp", address)
	must(err)
	listeners := []net.Listener{listener}
	if *proxied != "" {
		behind, err := net.Listen("tcp", *proxied)
		must(err)
		listeners = append(listeners, behindProxy{behind})
	}
	var lock sync.Mutex
	server := &http.Server{TLSConfig: c, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		lock.Lock()
		fmt.Fprintln(log, r.URL.Path)
		lock.Unlock()
		size := 256
		if strings.HasPrefix(r.URL.Path, "/large") {
			size = 300001
		}
		w.Write(bytes.Repeat([]byte("x"), size))
	})}
	if *h1 {
		server.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){}
	}
	for _, each := range listeners {
		go func(l net.Listener) { must(server.ServeTLS(l, "", "")) }(each)
	}
	return listener.Addr().String()
}

func get(address string, paths []string) {
	c := config()
	if !*mutual {
		c.Certificates = nil
	}
	if *fresh {
		c.ClientSessionCache = tls.NewLRUClientSessionCache(10)
	}
	client := http.Client{Transport: &http.Transport{TLSClientConfig: c, ForceAttemptHTTP2: !*h1, DisableKeepAlives: *fresh}}
	var all sync.WaitGroup
	for _, path := range paths {
		method, body := "GET", io.Reader(nil)
		if strings.Contains(path, "upload") {
			method = "POST"
			body = bytes.NewReader(make([]byte, 100000))
		}
		ask := func() {
			request, err := http.NewRequest(method, "https://"+address+path, body)
			must(err)
			response, err := client.Do(request)
			must(err)
			_, err = io.Copy(io.Discard, response.Body)
			must(err)
			response.Body.Close()
			if response.StatusCode != 200 {
				must(fmt.Errorf("%s: %s", path, response.Status))
			}
		}
		if !*atOnce {
			ask()
			continue
		}
		all.Add(1)
		go func() {
			defer all.Done()
			ask()
		}()
	}
	all.Wait()
	client.CloseIdleConnections()
}

func main() {
	flag.Parse()
	rest := flag.Args()
	switch rest[0] {
	case "serve":
		serve(rest[1], rest[2])
		select {}
	case "get":
		get(rest[1], rest[2:])
		time.Sleep(50 * time.Millisecond) // an answer may be read before the write of its request has returned: probes see writes that return
	case "leave": // in the middle of a write
		c, err := tls.Dial("tcp", rest[1], config())
		must(err)
		go c.Write(append([]byte("POST /left HTTP/1.1\r\nHost: a\r\nContent-Length: 67108864\r\n\r\n"), make([]byte, 1<<26)...))
		time.Sleep(500 * time.Millisecond)
	case "both":
		io.ReadAll(os.Stdin) // once the recorders are there
		get(serve("127.0.0.1:0", rest[1]), rest[2:])
	}
}
