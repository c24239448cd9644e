// Two services that tell their spans as an SDK would, but for some of them: front answers by asking back over TLS, on a
// connection of its own for every request.
//
// spans front ADDRESS SPANS BACK CERTIFICATE; spans back ADDRESS SPANS CERTIFICATE KEY. A line of SPANS is an
// ExportTraceServiceRequest. front leaves out the span of its call for paths that end in an even digit.
package main

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

type object = map[string]any

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func spanID() string {
	b := make([]byte, 8)
	_, err := rand.Read(b)
	must(err)
	return hex.EncodeToString(b)
}

var (
	telling sync.Mutex
	told    *os.File
)

func tell(service, trace, id, parent, name string, kind int, from, to time.Time) {
	span := object{"traceId": trace, "spanId": id, "parentSpanId": parent, "name": name, "kind": kind,
		"startTimeUnixNano": strconv.FormatInt(from.UnixNano(), 10), "endTimeUnixNano": strconv.FormatInt(to.UnixNano(), 10)}
	line, err := json.Marshal(object{"resourceSpans": []any{object{
		"resource":   object{"attributes": []any{object{"key": "service.name", "value": object{"stringValue": service}}}},
		"scopeSpans": []any{object{"scope": object{"name": "sdk"}, "spans": []any{span}}}}}})
	must(err)
	telling.Lock()
	defer telling.Unlock()
	_, err = told.Write(append(line, '\n'))
	must(err)
}

func main() {
	role, address := os.Args[1], os.Args[2]
	var err error
	told, err = os.Create(os.Args[3])
	must(err)
	var client http.Client
	if role == "front" {
		pem, err := os.ReadFile(os.Args[5])
		must(err)
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(pem)
		client.Transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, DisableKeepAlives: true}
	}
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		from := time.Now()
		context := strings.Split(r.Header.Get("traceparent"), "-")
		if len(context) != 4 {
			return
		}
		trace, parent, id := context[1], context[2], spanID()
		if role == "front" {
			call, began := spanID(), time.Now()
			q, err := http.NewRequest("GET", "https://"+os.Args[4]+"/stock"+r.URL.Path, nil)
			must(err)
			q.Header.Set("traceparent", "00-"+trace+"-"+call+"-01")
			response, err := client.Do(q)
			must(err)
			_, err = io.Copy(io.Discard, response.Body)
			must(err)
			response.Body.Close()
			if (r.URL.Path[len(r.URL.Path)-1]-'0')%2 == 1 {
				tell(role, trace, call, id, "call", 3, began, time.Now())
			}
		} else {
			time.Sleep(2 * time.Millisecond)
		}
		tell(role, trace, id, parent, "serve "+role, 2, from, time.Now())
		fmt.Fprint(w, "ok")
	})
	if role == "back" {
		must(http.ListenAndServeTLS(address, os.Args[4], os.Args[5], nil))
	}
	must(http.ListenAndServe(address, nil))
}
