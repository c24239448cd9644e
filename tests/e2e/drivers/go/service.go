// A service for one driver: service PORT STORE DRIVER. GET /work/ID makes the calls of a request and is answered with them, as JSON:
// operation, resource, code of the error, rows.
package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path"
)

type calls [][4]any

// code and rows: nil where there is none, or where it is not known.
func (c *calls) made(operation string, resource, code, rows any) {
	*c = append(*c, [4]any{operation, resource, code, rows})
}

// Makes the calls of a request.
type work func(mark string, c *calls)

// By driver: connects to the store at this port.
var drivers = map[string]func(store string) work{}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	do := drivers[os.Args[3]](os.Args[2])
	http.HandleFunc("/work/", func(w http.ResponseWriter, r *http.Request) {
		var c calls
		do(path.Base(r.URL.Path), &c)
		must(json.NewEncoder(w).Encode(c))
	})
	fmt.Fprintln(os.Stderr, http.ListenAndServe("127.0.0.1:"+os.Args[1], nil))
}
