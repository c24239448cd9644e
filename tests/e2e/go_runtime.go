// A server that knows its own goroutines: every answer, and every goroutine made for it, is logged with its number.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// Go keeps the number to itself, but prints it: "goroutine 17 [running]:".
func own() int {
	var text [64]byte
	fields := bytes.Fields(text[:runtime.Stack(text[:], false)])
	number, err := strconv.Atoi(string(fields[1]))
	if err != nil {
		panic(err)
	}
	return number
}

var writing sync.Mutex

func answer(w http.ResponseWriter, r *http.Request, children []int) {
	id := r.Header.Get("X-Request-Id")
	writing.Lock()
	json.NewEncoder(os.Stdout).Encode(map[string]interface{}{"id": id, "goroutine": own(), "path": r.URL.Path, "children": children})
	writing.Unlock()
	fmt.Fprintf(w, "answer=%s\n", id)
}

type cart struct{ items int }

func (c *cart) ServeHTTP(w http.ResponseWriter, r *http.Request) { answer(w, r, nil) }

type byValue struct{ a, b, c int }

func (v byValue) ServeHTTP(w http.ResponseWriter, r *http.Request) { answer(w, r, nil) }

func plain(w http.ResponseWriter, r *http.Request) { answer(w, r, nil) }

// wrapped is what middleware is.
//
//go:noinline
func wrapped(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { next.ServeHTTP(w, r) })
}

func fan(w http.ResponseWriter, r *http.Request) {
	n, _ := strconv.Atoi(r.URL.Query().Get("n"))
	children := make([]int, n)
	var all sync.WaitGroup
	for i := range children {
		all.Add(1)
		go func(i int) {
			children[i] = own()
			all.Done()
		}(i)
	}
	all.Wait()
	answer(w, r, children)
}

// in the kernel, not in Go's own scheduler
func kernelSleep(w http.ResponseWriter, r *http.Request) {
	wait := syscall.NsecToTimespec(int64(40 * time.Millisecond))
	syscall.Nanosleep(&wait, nil)
	answer(w, r, nil)
}

func channel(w http.ResponseWriter, r *http.Request) {
	done := make(chan int)
	go func() {
		time.Sleep(30 * time.Millisecond)
		done <- own()
	}()
	answer(w, r, []int{<-done})
}

// spin never waits for anybody.
func spin(w http.ResponseWriter, r *http.Request) {
	n := 0
	for start := time.Now(); time.Since(start) < 250*time.Millisecond; n++ {
	}
	answer(w, r, nil)
}

func collect(w http.ResponseWriter, r *http.Request) {
	runtime.GC()
	answer(w, r, nil)
}

func main() {
	mux := http.NewServeMux()
	mux.Handle("/struct", &cart{})
	mux.Handle("/value", byValue{})
	mux.HandleFunc("/plain", plain)
	mux.HandleFunc("/closure", func(w http.ResponseWriter, r *http.Request) { answer(w, r, nil) })
	mux.Handle("/wrapped", wrapped(&cart{}))
	mux.HandleFunc("/fan", fan)
	mux.HandleFunc("/kernel", kernelSleep)
	mux.HandleFunc("/channel", channel)
	mux.HandleFunc("/collect", collect)
	mux.HandleFunc("/spin", spin)
	mux.HandleFunc("/quit", func(w http.ResponseWriter, r *http.Request) { os.Exit(0) })
	fmt.Fprintln(os.Stderr, http.ListenAndServe(os.Args[1], mux))
}
