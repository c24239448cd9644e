// Serves /cart, which now and then works fifteen times as long, in a function of its own; on loopback, at the port given.
package main

import (
	"fmt"
	"net/http"
	"os"
	"sync/atomic"
	"time"
)

var sink, calls uint64

//go:noinline
func work(d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); {
		for i := uint64(0); i < 20000; i++ {
			atomic.AddUint64(&sink, i)
		}
	}
}

//go:noinline
func always() { work(2 * time.Millisecond); atomic.AddUint64(&sink, 1) }

//go:noinline
func seldom() { work(30 * time.Millisecond); atomic.AddUint64(&sink, 1) }

//go:noinline
func cart(w http.ResponseWriter, r *http.Request) {
	always()
	if atomic.AddUint64(&calls, 1)%15 == 0 {
		seldom()
	}
	fmt.Fprintln(w, "ok")
}

func main() {
	http.HandleFunc("/cart", cart)
	http.ListenAndServe("127.0.0.1:"+os.Args[1], nil)
}
