// Goroutines, counted by the program itself: overload COUNT, then lines of input: "make" makes COUNT goroutines that end,
// "speak" sends 64 messages over a socket from as many goroutines, each of which writes its number into the message. It
// answers "done" each time.
package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"syscall"
)

func work(all *sync.WaitGroup) { all.Done() }

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// As the runtime prints it: "goroutine 17 [running]: …".
func number() string {
	text := make([]byte, 64)
	return string(bytes.Fields(text[:runtime.Stack(text, false)])[1])
}

func main() {
	count, err := strconv.Atoi(os.Args[1])
	must(err)
	ends, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	must(err)
	fmt.Println("ready")
	input := bufio.NewScanner(os.Stdin)
	for input.Scan() {
		var all sync.WaitGroup
		switch input.Text() {
		case "make":
			for i := 0; i < count; i++ {
				all.Add(1)
				go work(&all)
			}
		case "speak":
			for i := 0; i < 64; i++ {
				all.Add(1)
				go func() {
					defer all.Done()
					_, err := syscall.Write(ends[0], []byte("goroutine "+number()+"\n"))
					must(err)
				}()
			}
		}
		all.Wait()
		fmt.Println("done")
	}
}
