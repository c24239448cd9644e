// A shop in Go, for captures to look at: main.go SHOP-PORT STOCK-PORT.
//
// The shop serves /cart/N over HTTP/1.1 and asks the stock twice for it, in goroutines of their own, over HTTP/2 in
// TLS. The stock counts under a mutex; every now and then it takes inventory, and everybody waits.
package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

type Shop struct {
	client *http.Client
	stock  string
}

func (s *Shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	cart := strings.TrimPrefix(r.URL.Path, "/cart/")
	var asked sync.WaitGroup
	answers := make([]string, 2)
	for i, thing := range []string{"shirts", "shoes"} {
		asked.Add(1)
		go func(i int, thing string) {
			defer asked.Done()
			response, err := s.client.Get(s.stock + "/" + thing + "/" + cart)
			if err != nil {
				return
			}
			defer response.Body.Close()
			text, _ := io.ReadAll(response.Body)
			answers[i] = string(text)
		}(i, thing)
	}
	asked.Wait()
	fmt.Fprintln(w, strings.Join(answers, " "))
}

type Stock struct {
	lock    sync.Mutex
	counted int
}

func (s *Stock) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.lock.Lock()
	s.counted++
	if s.counted%40 == 0 {
		time.Sleep(25 * time.Millisecond) // inventory
	} else {
		time.Sleep(300 * time.Microsecond)
	}
	s.lock.Unlock()
	fmt.Fprint(w, len(r.URL.Path))
}

func certificate() tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	made, err := x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	return tls.Certificate{Certificate: [][]byte{made}, PrivateKey: key}
}

func main() {
	shop, stock := "127.0.0.1:"+os.Args[1], "127.0.0.1:"+os.Args[2]
	listener, err := net.Listen("tcp", stock)
	if err != nil {
		panic(err)
	}
	secure := &http.Server{Handler: &Stock{}, TLSConfig: &tls.Config{Certificates: []tls.Certificate{certificate()}}}
	go secure.ServeTLS(listener, "", "")
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}
	front, err := net.Listen("tcp", shop)
	if err != nil {
		panic(err)
	}
	fmt.Println("ready")
	panic(http.Serve(front, &Shop{&http.Client{Transport: transport}, "https://" + stock}))
}
