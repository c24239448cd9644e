// A server and a client of HTTP in Go, plain or over TLS: go-pair server|client plain|tls LOG. Each writes a line of JSON for each
// request. The client makes 40 requests on four connections and ends.
package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"math/big"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"
)

const (
	address  = "127.0.0.1:8443"
	requests = 40
	clients  = 4
)

type line struct {
	ID            string `json:"id"`
	Method        string `json:"method"`
	Path          string `json:"path"`
	Status        int    `json:"status"`
	RequestBytes  int    `json:"request_bytes"`
	ResponseBytes int    `json:"response_bytes"`
}

type journal struct {
	mutex sync.Mutex
	out   *json.Encoder
}

func (j *journal) write(l line) {
	j.mutex.Lock()
	defer j.mutex.Unlock()
	if err := j.out.Encode(l); err != nil {
		log.Fatal(err)
	}
}

func certificate() tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	about := x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, &about, &about, &key.PublicKey, key)
	if err != nil {
		log.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func serve(secure bool, j *journal) error {
	handler := func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		size, _ := strconv.Atoi(r.URL.Query().Get("size"))
		status := http.StatusOK
		if size%7 == 0 {
			status = http.StatusNotFound
		}
		answer := bytes.Repeat([]byte{'a'}, size)
		w.WriteHeader(status)
		_, _ = w.Write(answer)
		j.write(line{r.Header.Get("x-request-id"), r.Method, r.URL.RequestURI(), status, len(body), len(answer)})
	}
	server := http.Server{Addr: address, Handler: http.HandlerFunc(handler), TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){}}
	if !secure {
		return server.ListenAndServe()
	}
	server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate()}}
	return server.ListenAndServeTLS("", "")
}

func ask(client *http.Client, scheme string, n int, j *journal) {
	method, body := http.MethodGet, []byte{}
	if n%4 == 3 {
		method, body = http.MethodPost, bytes.Repeat([]byte{'b'}, 10*n)
	}
	path := fmt.Sprintf("/item?size=%d", n*53)
	request, err := http.NewRequest(method, scheme+"://"+address+path, bytes.NewReader(body))
	if err != nil {
		log.Fatal(err)
	}
	id := fmt.Sprintf("go-%d", n)
	request.Header.Set("x-request-id", id)
	answer, err := client.Do(request)
	if err != nil {
		log.Fatal(err)
	}
	defer answer.Body.Close()
	got, err := io.ReadAll(answer.Body)
	if err != nil {
		log.Fatal(err)
	}
	j.write(line{id, method, path, answer.StatusCode, len(body), len(got)})
}

func main() {
	if len(os.Args) != 4 {
		log.Fatal("usage: go-pair server|client plain|tls LOG")
	}
	file, err := os.Create(os.Args[3])
	if err != nil {
		log.Fatal(err)
	}
	j := &journal{out: json.NewEncoder(file)}
	secure := os.Args[2] == "tls"
	if os.Args[1] == "server" {
		log.Fatal(serve(secure, j))
	}
	scheme := "http"
	if secure {
		scheme = "https"
	}
	var wait sync.WaitGroup
	for c := 0; c < clients; c++ {
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
		wait.Add(1)
		go func(first int) {
			defer wait.Done()
			for n := first; n < requests; n += clients {
				ask(client, scheme, n, j)
			}
			client.CloseIdleConnections()
		}(c)
	}
	wait.Wait()
}
