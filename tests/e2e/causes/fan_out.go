// Calls by the handler itself, and by goroutines that it starts: plain, with an errgroup and children of their own.
package main

import (
	"sync"

	"golang.org/x/sync/errgroup"
)

func init() {
	manners["plain"] = plain
	manners["dialling"] = fanOut
	manners["fan_out"] = fanOut
	manners["errgroup"] = group
}

func plain(served string) []string {
	called := []string{served + ".0", served + ".1"}
	for _, id := range called {
		call(id)
	}
	return called
}

func fanOut(served string) []string {
	called := []string{served + ".0", served + ".1", served + ".2", served + ".3"}
	var all sync.WaitGroup
	for _, id := range called {
		all.Add(1)
		go func(id string) {
			defer all.Done()
			call(id)
		}(id)
	}
	all.Wait()
	return called
}

func group(served string) []string {
	var g errgroup.Group
	g.Go(func() error {
		call(served + ".0")
		var inner errgroup.Group
		for _, id := range []string{".1", ".2"} {
			id := id
			inner.Go(func() error {
				call(served + id)
				return nil
			})
		}
		return inner.Wait()
	})
	g.Go(func() error {
		call(served + ".3")
		return nil
	})
	must(g.Wait())
	return []string{served + ".0", served + ".1", served + ".2", served + ".3"}
}
