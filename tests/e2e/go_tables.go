// A server whose goroutines are counted: it leaks some, lets them wait for a CPU, and dies when it is asked to.
//
//	go_tables ADDRESS [TLS-ADDRESS]
package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"math/big"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"sync/atomic"
	"time"
)

func certificate() tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func plain(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, "plain") }

var asked, forever = int64(0), make(chan bool)

//go:noinline
func refill() { <-forever }

// Every tenth request leaves a goroutine behind; the others make one, too, which ends at once.
func leaky(w http.ResponseWriter, r *http.Request) {
	if atomic.AddInt64(&asked, 1)%10 == 0 {
		go refill()
	} else {
		done := make(chan bool)
		go func() { close(done) }()
		<-done
	}
	fmt.Fprintln(w, "leaky")
}

//go:noinline
func collapse(n int64) { panic(fmt.Sprintf("request %d", n)) }

// The request of this number ends the process: not in the handler's own goroutine, whose panics net/http recovers.
func fatal(w http.ResponseWriter, r *http.Request) {
	at, _ := strconv.ParseInt(r.URL.Query().Get("at"), 10, 64)
	if n := atomic.AddInt64(&asked, 1); n == at {
		go collapse(n)
		select {}
	}
	fmt.Fprintln(w, "alive")
}

// Until there is no more memory.
func eat(w http.ResponseWriter, r *http.Request) {
	var all [][]byte
	for {
		page := make([]byte, 1<<20)
		for i := 0; i < len(page); i += 4096 {
			page[i] = 1
		}
		all = append(all, page)
		if len(all) > 4096 {
			break
		}
	}
	fmt.Fprintln(w, len(all))
}

func recovered(w http.ResponseWriter, r *http.Request) { panic("recovered by net/http") }

func spin(w http.ResponseWriter, r *http.Request) {
	ms, _ := strconv.Atoi(r.URL.Query().Get("ms"))
	n := 0
	for start := time.Now(); time.Since(start) < time.Duration(ms)*time.Millisecond; n++ {
	}
	fmt.Fprintln(w, n)
}

func main() {
	mux := http.NewServeMux()
	mux.HandleFunc("/plain", plain)
	mux.HandleFunc("/leaky", leaky)
	mux.HandleFunc("/fatal", fatal)
	mux.HandleFunc("/eat", eat)
	mux.HandleFunc("/collect", func(w http.ResponseWriter, r *http.Request) { runtime.GC() })
	mux.HandleFunc("/wait", func(w http.ResponseWriter, r *http.Request) { select {} })
	mux.HandleFunc("/recovered", recovered)
	mux.HandleFunc("/spin", spin)
	mux.HandleFunc("/quit", func(w http.ResponseWriter, r *http.Request) { os.Exit(0) })
	if len(os.Args) > 2 {
		server := &http.Server{Addr: os.Args[2], Handler: mux, TLSConfig: &tls.Config{Certificates: []tls.Certificate{certificate()}}}
		go func() { fmt.Fprintln(os.Stderr, server.ListenAndServeTLS("", "")) }()
	}
	fmt.Fprintln(os.Stderr, http.ListenAndServe(os.Args[1], mux))
}
