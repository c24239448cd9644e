// Calls by workers that take their jobs from a channel: those there from the start, those that the first request starts;
// a channel with a buffer, and one of several that workers and handlers select from.
package main

import (
	"sync"
	"time"
)

type job struct {
	id   string
	done chan struct{}
}

var (
	jobs  chan job
	start sync.Once
)

func init() {
	manners["pool"] = pool
	manners["buffered_pool"] = pool
	manners["select_pool"] = selectPool
	manners["lazy_pool"] = func(served string) []string {
		start.Do(func() { workers("lazy_pool") })
		return pool(served)
	}
}

func workers(mode string) {
	jobs = make(chan job)
	work := func() {
		for j := range jobs {
			call(j.id)
			close(j.done)
		}
	}
	switch mode {
	case "buffered_pool":
		jobs = make(chan job, 24) // often empty, often full
	case "select_pool":
		jobs = make(chan job, 8)
		work = selectJobs
	}
	for n := 0; n < 16; n++ {
		go work()
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

// Jobs also come from a goroutine that serves nobody, and workers have more to wait for.
func selectJobs() {
	idle := time.NewTicker(5 * time.Millisecond)
	quit := make(chan struct{})
	for {
		select {
		case j := <-jobs:
			call(j.id)
			close(j.done)
		case <-idle.C:
		case <-quit:
			return
		}
	}
}

func selectPool(served string) []string {
	called := []string{served + ".0", served + ".1"}
	for _, id := range called {
		j := job{id, make(chan struct{})}
		select {
		case jobs <- j:
		case <-time.After(time.Minute):
		}
		<-j.done
	}
	return called
}
