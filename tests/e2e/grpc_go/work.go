// The service that calls.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/golang/protobuf/ptypes/wrappers"
	"google.golang.org/grpc"
)

type work interface {
	Do(context.Context, *wrappers.StringValue) (*wrappers.StringValue, error)
	Watch(*wrappers.StringValue, grpc.ServerStream) error
}

type worker struct {
	address string
	dialled sync.Once
	other   *grpc.ClientConn
	manner  string
}

// The first request makes the connection that all use.
func (w *worker) connect() {
	w.dialled.Do(func() {
		w.other = dial(w.address)
		go w.poll()
	})
}

func (w *worker) poll() {
	for n := 0; ; n++ {
		time.Sleep(7 * time.Millisecond)
		id := fmt.Sprintf("poll.%d", n)
		note("", []string{id})
		ask(w.other, "/test.Leaf/Ask", id)
	}
}

func (w *worker) call(served string) []string {
	w.connect()
	called := []string{served + ".0", served + ".1"}
	if w.manner == "watch" {
		watch(w.other, "/test.Leaf/Watch", called[0])
		return called[:1]
	}
	if w.manner == "plain" {
		for _, id := range called {
			ask(w.other, "/test.Leaf/Ask", id)
		}
		return called
	}
	called = append(called, served+".2", served+".3")
	var all sync.WaitGroup
	for _, id := range called {
		all.Add(1)
		go func(id string) {
			defer all.Done()
			ask(w.other, "/test.Leaf/Ask", id)
		}(id)
	}
	all.Wait()
	return called
}

func (w *worker) Do(ctx context.Context, in *wrappers.StringValue) (*wrappers.StringValue, error) {
	note(name(ctx), w.call(name(ctx)))
	return in, nil
}

// Calls between its messages, too.
func (w *worker) Watch(in *wrappers.StringValue, out grpc.ServerStream) error {
	id := name(out.Context())
	called := []string{}
	for n := 0; n < 2; n++ {
		if err := out.SendMsg(in); err != nil {
			return err
		}
		called = append(called, w.call(fmt.Sprintf("%s.%d", id, n))...)
	}
	note(id, called)
	return nil
}

func _Work_Do_Handler(srv interface{}, ctx context.Context, decode func(interface{}) error, _ grpc.UnaryServerInterceptor) (interface{}, error) {
	in := new(wrappers.StringValue)
	if err := decode(in); err != nil {
		return nil, err
	}
	return srv.(work).Do(ctx, in)
}

func _Work_Watch_Handler(srv interface{}, stream grpc.ServerStream) error {
	in := new(wrappers.StringValue)
	if err := stream.RecvMsg(in); err != nil {
		return err
	}
	return srv.(work).Watch(in, stream)
}

var workService = grpc.ServiceDesc{ServiceName: "test.Work", HandlerType: (*work)(nil),
	Methods: []grpc.MethodDesc{{MethodName: "Do", Handler: _Work_Do_Handler}},
	Streams: []grpc.StreamDesc{{StreamName: "Watch", Handler: _Work_Watch_Handler, ServerStreams: true}}}

func serve(manner, address, other, log_file string) {
	file, err := os.Create(log_file)
	must(err)
	log = json.NewEncoder(file)
	listen(address, &workService, &worker{address: other, manner: manner})
}
