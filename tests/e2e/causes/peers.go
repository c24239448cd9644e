// The two that stand around a service: a leaf that answers after a moment, and clients that ask.
//
// leaf ADDRESS; load URL CLIENTS REQUESTS CONNECTIONS PREFIX: each client asks URL/PREFIXclient-n one after the other.
// CONNECTIONS 0: each client has one of its own; otherwise all share so many, over HTTP/2.
package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"hash/fnv"
	"io"
	"math/big"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

func certificate() tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	must(err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func listen(address string) {
	if secure := strings.TrimPrefix(address, "https://"); secure != address {
		server := &http.Server{Addr: secure, TLSConfig: &tls.Config{Certificates: []tls.Certificate{certificate()}}}
		must(server.ListenAndServeTLS("", ""))
	}
	must(http.ListenAndServe(address, nil))
}

// Between 1 and 9 ms, by the path.
func leaf(w http.ResponseWriter, r *http.Request) {
	sum := fnv.New32()
	io.WriteString(sum, r.URL.Path)
	time.Sleep(time.Millisecond + time.Duration(sum.Sum32()%8000)*time.Microsecond)
	io.WriteString(w, "ok")
}

func load(url string, clients, requests, connections int, prefix string) {
	var all sync.WaitGroup
	shared := make([]*http.Transport, connections)
	for n := range shared {
		shared[n] = transport(1)
	}
	for n := 0; n < clients; n++ {
		all.Add(1)
		go func(n int) {
			defer all.Done()
			mine := transport(1)
			if connections > 0 {
				mine = shared[n%connections]
			}
			for i := 0; i < requests; i++ {
				response, err := (&http.Client{Transport: mine}).Get(fmt.Sprintf("%s%s%d-%d", url, prefix, n, i))
				must(err)
				body, err := io.ReadAll(response.Body)
				must(err)
				response.Body.Close()
				if string(body) != "ok" {
					must(fmt.Errorf("answer %q", body))
				}
			}
		}(n)
	}
	all.Wait()
}

func number(text string) int {
	n, err := strconv.Atoi(text)
	must(err)
	return n
}

func main() {
	a := os.Args
	switch a[1] {
	case "leaf":
		http.HandleFunc("/", leaf)
		listen(a[2])
	case "load":
		load(a[2], number(a[3]), number(a[4]), number(a[5]), a[6])
	case "service":
		other = a[4]
		serve(a[2], a[3], a[5])
	default:
		must(fmt.Errorf("leaf, load or service, not %q", a[1]))
	}
}
