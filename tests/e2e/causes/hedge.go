// A call that is made again when it takes too long; the first answer wins, the other is given up or goes on alone.
package main

import (
	"context"
	"net/http"
	"time"
)

func init() { manners["hedge"] = hedge }

func hedge(served string) []string {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	answered := make(chan struct{}, 2)
	attempt := func(ctx context.Context, id string) {
		ask(http.NewRequestWithContext(ctx, "GET", other+"/leaf/"+id, nil))
		answered <- struct{}{}
	}
	called := []string{served + ".0"}
	go attempt(ctx, called[0])
	select {
	case <-answered:
	case <-time.After(3 * time.Millisecond):
		called = append(called, served+".1")
		go attempt(context.Background(), called[1])
		<-answered
	}
	return called
}
