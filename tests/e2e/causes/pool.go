// Calls by workers that take their jobs from a channel: those there from the start, and those that the first request starts.
package main

import "sync"

type job struct {
	id   string
	done chan struct{}
}

var (
	jobs  = make(chan job)
	start sync.Once
)

func init() {
	manners["pool"] = pool
	manners["lazy_pool"] = func(served string) []string {
		start.Do(workers)
		return pool(served)
	}
}

func workers() {
	for n := 0; n < 16; n++ {
		go func() {
			for j := range jobs {
				call(j.id)
				close(j.done)
			}
		}()
	}
}

func pool(served string) []string {
	called := []string{served + ".0", served + ".1"}
	for _, id := range called {
		j := job{id, make(chan struct{})}
		jobs <- j
		<-j.done
	}
	return called
}
