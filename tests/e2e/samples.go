// Spends a number of seconds in one function, called by a goroutine whose number it says.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

var sink uint64

func spent() float64 {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

//go:noinline
func spinHere(seconds float64) {
	for end := time.Now().Add(time.Duration(seconds * 1e9)); time.Now().Before(end); {
		for i := uint64(0); i < 5000000; i++ {
			sink += i * 7
		}
	}
}

//go:noinline
func inner(seconds float64) { spinHere(seconds); sink++ }

//go:noinline
func outer(seconds float64) { inner(seconds); sink++ }

func number() string {
	var text [64]byte
	return strings.Fields(string(text[:runtime.Stack(text[:], false)]))[1]
}

func main() {
	seconds, _ := strconv.ParseFloat(os.Args[1], 64)
	done := make(chan string)
	go func() {
		outer(seconds)
		done <- number()
	}()
	goroutine := <-done
	fmt.Println(spent(), goroutine)
}
