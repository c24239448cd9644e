// The service of bench/planted in Go.
package main

import (
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

var options = map[string]string{}

func number(name string) int {
	n, _ := strconv.Atoi(options[name])
	return n
}

func call(client *http.Client, n int64) {
	path := "/stock/shirts"
	if n%100 == 0 && number("failing") > 0 {
		path = "/error"
	}
	answer, err := client.Get("http://" + options["stock"] + path)
	if err == nil {
		io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
	}
}

var idle = make(chan net.Conn, 64) // connections to Redis

func query() {
	var connection net.Conn
	select {
	case connection = <-idle:
	default:
		connection, _ = net.Dial("tcp", options["redis"])
	}
	connection.Write([]byte("*2\r\n$3\r\nGET\r\n$1\r\na\r\n"))
	connection.Read(make([]byte, 100))
	idle <- connection
}

func threadTime() int64 {
	var t syscall.Timespec
	const ofThread = 3 // CLOCK_THREAD_CPUTIME_ID
	syscall.Syscall(syscall.SYS_CLOCK_GETTIME, ofThread, uintptr(unsafe.Pointer(&t)), 0)
	return t.Nano()
}

// Every twentieth request waits for about `tail` ms, every hundredth for `slow` ms.
func wait(n int64, tail, slow float64) {
	milliseconds := 0.0
	if n%20 == 0 {
		milliseconds = tail * (0.9 + math.Mod(float64(n)*0.0309, 0.2))
	} else if n%100 == 50 {
		milliseconds = slow
	}
	if milliseconds > 0 {
		time.Sleep(time.Duration(milliseconds * 1e6))
	}
}

func main() {
	for _, word := range os.Args[2:] {
		name, value, _ := strings.Cut(word, "=")
		options[name] = value
	}
	calls, connects, queries, errors := number("calls"), number("connects"), number("queries"), number("errors")
	spin, leak, body := int64(number("spin"))*1000, number("leak"), []byte(strings.Repeat("x", number("bytes")))
	tail, _ := strconv.ParseFloat(options["tail"], 64)
	slow, _ := strconv.ParseFloat(options["slow"], 64)
	kept := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	fresh := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	var served atomic.Int64
	var lock sync.Mutex
	var held [][]byte
	http.HandleFunc("/pay", func(w http.ResponseWriter, r *http.Request) {
		n := served.Add(1)
		for i := 0; i < calls; i++ {
			call(kept, n)
		}
		for i := 0; i < connects; i++ {
			call(fresh, n)
		}
		for i := 0; i < queries; i++ {
			query()
		}
		runtime.LockOSThread()
		for until := threadTime() + spin; threadTime() < until; {
		}
		runtime.UnlockOSThread()
		if leak > 0 {
			block := make([]byte, leak)
			for i := range block {
				block[i] = 1
			}
			lock.Lock()
			held = append(held, block)
			lock.Unlock()
		}
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		wait(n, tail, slow)
		if errors > 0 && n%100 == 0 {
			w.WriteHeader(500)
		}
		w.Write(body)
	})
	http.ListenAndServe("127.0.0.1:"+os.Args[1], nil)
}
