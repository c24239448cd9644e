// Services of grpc-go: one that calls another for each request, in a manner of its own, and logs for whom it called whom; the
// other, which answers after a moment; and clients that ask. Nothing is generated: the handlers are named as protoc names them.
//
// leaf ADDRESS; service MANNER ADDRESS OTHER LOG; load ADDRESS METHOD CLIENTS REQUESTS CONNECTIONS PREFIX [LOG].
// A request's name is in its metadata, x-request-id. A line of the service's log: {"served": ID, "called": [ID.K, …],
// "goroutine": N}; of the clients' log: {"id", "sent_ns", "done_ns" (CLOCK_MONOTONIC)}. Meanwhile the service calls the other for nobody, too: poll.N.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"net"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"github.com/golang/protobuf/ptypes/wrappers"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
)

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func number(text string) int {
	n, err := strconv.Atoi(text)
	must(err)
	return n
}

func goroutine() int {
	text := make([]byte, 64)
	return number(strings.Fields(string(text[:runtime.Stack(text, false)]))[1])
}

func named(id string) context.Context {
	return metadata.NewOutgoingContext(context.Background(), metadata.Pairs("x-request-id", id))
}

func name(ctx context.Context) string {
	fields, _ := metadata.FromIncomingContext(ctx)
	return fields.Get("x-request-id")[0]
}

// Between 1 and 9 ms, by the name.
func moment(id string) {
	sum := fnv.New32()
	io.WriteString(sum, id)
	time.Sleep(time.Millisecond + time.Duration(sum.Sum32()%8000)*time.Microsecond)
}

// The other.
type leaf interface {
	Ask(context.Context, *wrappers.StringValue) (*wrappers.StringValue, error)
	Watch(*wrappers.StringValue, grpc.ServerStream) error
}

type quiet struct{}

func (*quiet) Ask(ctx context.Context, in *wrappers.StringValue) (*wrappers.StringValue, error) {
	moment(name(ctx))
	return in, nil
}

func (*quiet) Watch(in *wrappers.StringValue, out grpc.ServerStream) error {
	for n := 0; n < 3; n++ {
		moment(name(out.Context()))
		if err := out.SendMsg(in); err != nil {
			return err
		}
	}
	return nil
}

func _Leaf_Ask_Handler(srv interface{}, ctx context.Context, decode func(interface{}) error, _ grpc.UnaryServerInterceptor) (interface{}, error) {
	in := new(wrappers.StringValue)
	if err := decode(in); err != nil {
		return nil, err
	}
	return srv.(leaf).Ask(ctx, in)
}

func _Leaf_Watch_Handler(srv interface{}, stream grpc.ServerStream) error {
	in := new(wrappers.StringValue)
	if err := stream.RecvMsg(in); err != nil {
		return err
	}
	return srv.(leaf).Watch(in, stream)
}

var leafService = grpc.ServiceDesc{ServiceName: "test.Leaf", HandlerType: (*leaf)(nil),
	Methods: []grpc.MethodDesc{{MethodName: "Ask", Handler: _Leaf_Ask_Handler}},
	Streams: []grpc.StreamDesc{{StreamName: "Watch", Handler: _Leaf_Watch_Handler, ServerStreams: true}}}

func dial(address string) *grpc.ClientConn {
	connection, err := grpc.Dial(address, grpc.WithInsecure(), grpc.WithBlock())
	must(err)
	return connection
}

func listen(address string, service *grpc.ServiceDesc, of interface{}) {
	listener, err := net.Listen("tcp", address)
	must(err)
	server := grpc.NewServer()
	server.RegisterService(service, of)
	must(server.Serve(listener))
}

func ask(connection *grpc.ClientConn, method, id string) {
	out := new(wrappers.StringValue)
	must(connection.Invoke(named(id), method, &wrappers.StringValue{Value: id}, out))
	if out.Value != id {
		must(fmt.Errorf("answer %q to %q", out.Value, id))
	}
}

func watch(connection *grpc.ClientConn, method, id string) {
	stream, err := connection.NewStream(named(id), &grpc.StreamDesc{ServerStreams: true}, method)
	must(err)
	must(stream.SendMsg(&wrappers.StringValue{Value: id}))
	must(stream.CloseSend())
	for {
		err := stream.RecvMsg(new(wrappers.StringValue))
		if err == io.EOF {
			return
		}
		must(err)
	}
}

func monotonic() int64 {
	var now syscall.Timespec
	if _, _, failed := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, 1, uintptr(unsafe.Pointer(&now)), 0); failed != 0 {
		must(failed)
	}
	return now.Nano()
}

func load(address, method string, clients, requests, connections int, prefix string, log_file string) {
	var all sync.WaitGroup
	if log_file != "" {
		file, err := os.Create(log_file)
		must(err)
		log = json.NewEncoder(file)
	}
	shared := make([]*grpc.ClientConn, connections)
	for n := range shared {
		shared[n] = dial(address)
	}
	how := ask
	if strings.HasSuffix(method, "Watch") {
		how = watch
	}
	for n := 0; n < clients; n++ {
		all.Add(1)
		go func(n int) {
			defer all.Done()
			for i := 0; i < requests; i++ {
				id := fmt.Sprintf("%s%d-%d", prefix, n, i)
				sent := monotonic()
				how(shared[n%connections], method, id)
				done := monotonic()
				if log != nil {
					logging.Lock()
					must(log.Encode(map[string]interface{}{"id": id, "sent_ns": sent, "done_ns": done}))
					logging.Unlock()
				}
			}
		}(n)
	}
	all.Wait()
}

func main() {
	a := os.Args
	switch a[1] {
	case "leaf":
		listen(a[2], &leafService, new(quiet))
	case "service":
		serve(a[2], a[3], a[4], a[5])
	case "load":
		log_file := ""
		if len(a) > 8 {
			log_file = a[8]
		}
		load(a[2], a[3], number(a[4]), number(a[5]), number(a[6]), a[7], log_file)
	default:
		must(fmt.Errorf("leaf, service or load, not %q", a[1]))
	}
}

var (
	log     *json.Encoder
	logging sync.Mutex
)

func note(served string, called []string) {
	logging.Lock()
	defer logging.Unlock()
	must(log.Encode(map[string]interface{}{"served": served, "called": called, "goroutine": goroutine()}))
}
