// A server that allocates 40 MB a second all the time and holds as many megabytes as it is asked to: /hold?mb=N.
package main

import (
	"fmt"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"
)

var (
	lock sync.Mutex
	held [][]byte
	last []byte
)

func hold(w http.ResponseWriter, r *http.Request) {
	n, _ := strconv.Atoi(r.URL.Query().Get("mb"))
	lock.Lock()
	defer lock.Unlock()
	for len(held) < n {
		one := make([]byte, 1<<20)
		for i := range one {
			one[i] = 1
		}
		held = append(held, one)
	}
	fmt.Fprintln(w, len(held))
}

func main() {
	go func() {
		for range time.Tick(5 * time.Millisecond) {
			for i := 0; i < 4; i++ {
				last = make([]byte, 50_000)
			}
		}
	}()
	http.HandleFunc("/hold", hold)
	fmt.Fprintln(os.Stderr, http.ListenAndServe(os.Args[1], nil))
}
