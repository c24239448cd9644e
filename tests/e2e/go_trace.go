// A server and a client of HTTPS in Go, the client with its own account of every request: connect, TLS handshake, first byte.
//
// go_trace serve ADDRESS CERTIFICATE KEY; go_trace get ADDRESS CERTIFICATE N fresh|resumed: a connection for every request.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"os"
	"strconv"
	"time"
)

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	if os.Args[1] == "serve" {
		http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(30 * time.Millisecond)
			fmt.Fprint(w, "first")
			w.(http.Flusher).Flush()
			time.Sleep(20 * time.Millisecond)
			fmt.Fprint(w, "and last")
		})
		must(http.ListenAndServeTLS(os.Args[2], os.Args[3], os.Args[4], nil))
	}
	pem, err := os.ReadFile(os.Args[3])
	must(err)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	n, err := strconv.Atoi(os.Args[4])
	must(err)
	config := &tls.Config{RootCAs: pool}
	if os.Args[5] == "resumed" {
		config.ClientSessionCache = tls.NewLRUClientSessionCache(8)
	}
	client := http.Client{Transport: &http.Transport{TLSClientConfig: config, DisableKeepAlives: true}}
	for i := 0; i < n; i++ {
		var connecting, shaking, wrote time.Time
		told := map[string]any{"id": fmt.Sprintf("g%d", i)}
		trace := &httptrace.ClientTrace{
			ConnectStart:      func(string, string) { connecting = time.Now() },
			ConnectDone:       func(string, string, error) { told["connect_ns"] = time.Since(connecting) },
			TLSHandshakeStart: func() { shaking = time.Now() },
			TLSHandshakeDone: func(s tls.ConnectionState, err error) {
				told["tls_ns"] = time.Since(shaking)
				told["resumed"] = s.DidResume
			},
			WroteRequest:         func(httptrace.WroteRequestInfo) { wrote = time.Now() },
			GotFirstResponseByte: func() { told["first_byte_ns"] = time.Since(wrote) },
		}
		request, err := http.NewRequest("GET", fmt.Sprintf("https://%s/page/%d", os.Args[2], i), nil)
		must(err)
		request.Header.Set("X-Request-Id", told["id"].(string))
		begun := time.Now()
		response, err := client.Do(request.WithContext(httptrace.WithClientTrace(request.Context(), trace)))
		must(err)
		body, err := io.ReadAll(response.Body)
		must(err)
		response.Body.Close()
		told["total_ns"] = time.Since(begun)
		told["status"] = response.StatusCode
		told["response_bytes"] = len(body)
		must(json.NewEncoder(os.Stdout).Encode(told))
	}
}
