// Work that hits probes often, in one process: neighbour CERTIFICATE, then a line of input: "MODE SECONDS". It prints the
// number of operations. Modes: quiet (100 operations a second: a channel transfer and a TLS write), channels (transfers
// on an unbuffered channel, which park a goroutine each), tls (TLS writes, which park none), goroutines (each made and ended).
package main

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"sync/atomic"
	"time"
)

// A connection whose bytes go nowhere once the handshake is over.
type sink struct {
	net.Conn
	discards atomic.Bool
}

func (s *sink) Write(b []byte) (int, error) {
	if s.discards.Load() {
		return len(b), nil
	}
	return s.Conn.Write(b)
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func session(certificate string) *tls.Conn {
	pair, err := tls.LoadX509KeyPair(certificate, certificate)
	must(err)
	near, far := net.Pipe()
	server := tls.Server(far, &tls.Config{Certificates: []tls.Certificate{pair}})
	go func() {
		must(server.Handshake())
		server.Read(make([]byte, 1))
	}()
	carrier := &sink{Conn: near}
	client := tls.Client(carrier, &tls.Config{InsecureSkipVerify: true})
	must(client.Handshake())
	carrier.discards.Store(true)
	return client
}

func main() {
	client := session(os.Args[1])
	there, back := make(chan int), make(chan int)
	go func() {
		for n := range there {
			back <- n
		}
	}()
	transfer := func() { there <- 1; <-back }
	write := func() {
		_, err := client.Write([]byte("GET / HTTP/1.1\r\n\r\n"))
		must(err)
	}
	operations := map[string]func(){
		"quiet":    func() { transfer(); write(); time.Sleep(10 * time.Millisecond) },
		"channels": transfer,
		"tls":      write,
		"goroutines": func() {
			ended := make(chan bool)
			go func() { close(ended) }()
			<-ended
		},
	}
	fmt.Println("ready")
	var mode string
	var seconds float64
	_, err := fmt.Fscanln(bufio.NewReader(os.Stdin), &mode, &seconds)
	must(err)
	count := 0
	for end := time.Now().Add(time.Duration(seconds * float64(time.Second))); time.Now().Before(end); count++ {
		operations[mode]()
	}
	fmt.Println(count)
}
