// A service that calls another one for each request, in a manner of its own, and logs for whom it called whom.
//
// service MODE ADDRESS OTHER LOG: GET /work/ID is answered after some calls GET /leaf/ID.K to OTHER (https:// or http://).
// Meanwhile it calls OTHER for nobody, too: /leaf/poll.N. A line of the log: {"served": ID, "called": [ID.K, …]}.
// ADDRESS with https:// in front: HTTPS, with HTTP/2 for who wants it. Nothing on the wire but the path says who caused what.
package main

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

// Makes the calls of the request `served` and returns their ids.
type manner func(served string) []string

var (
	manners = map[string]manner{}
	other   string // whom it calls: a URL without path
	client  *http.Client
	log     *json.Encoder
	logging sync.Mutex
)

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// A transport that keeps `idle` connections; few of them: most calls need a new one, and may get one that another dialled.
func transport(idle int) *http.Transport {
	return &http.Transport{MaxIdleConnsPerHost: idle, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}
}

func ask(request *http.Request, err error) {
	must(err)
	response, err := client.Do(request)
	if err != nil {
		return // cancelled
	}
	io.Copy(io.Discard, response.Body)
	response.Body.Close()
}

func call(id string) { ask(http.NewRequest("GET", other+"/leaf/"+id, nil)) }

func note(served string, called []string) {
	logging.Lock()
	defer logging.Unlock()
	must(log.Encode(map[string]any{"served": served, "called": called}))
}

func poll(mode string) {
	for n := 0; ; n++ {
		time.Sleep(7 * time.Millisecond)
		id := fmt.Sprintf("poll.%d", n)
		note("", []string{id})
		if mode == "select_pool" || mode == "buffered_pool" {
			jobs <- job{id, make(chan struct{})}
			continue
		}
		call(id)
	}
}

func serve(mode, address, log_file string) {
	file, err := os.Create(log_file)
	must(err)
	log = json.NewEncoder(file)
	idle := 256
	if mode == "dialling" {
		idle = 2
	}
	client = &http.Client{Transport: transport(idle)}
	if strings.HasSuffix(mode, "pool") && mode != "lazy_pool" {
		workers(mode)
	}
	go poll(mode)
	http.HandleFunc("/work/", func(w http.ResponseWriter, r *http.Request) {
		served := strings.TrimPrefix(r.URL.Path, "/work/")
		called := manners[mode](served)
		note(served, called)
		fmt.Fprint(w, "ok")
	})
	listen(address)
}
