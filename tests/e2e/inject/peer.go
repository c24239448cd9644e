// serve PORT LOG: a line of JSON for each request, its body's sum as the answer. call URL LOG COUNT: waits for a line, then requests
// with bodies of both framings over kept connections; a line of JSON for each.
package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"sync"
)

type row struct {
	Token, Sum, Trace, Request string
}

var lock sync.Mutex

func note(file *os.File, r row) {
	line, _ := json.Marshal(r)
	lock.Lock()
	defer lock.Unlock()
	file.Write(append(line, '\n'))
}

func sum(b []byte) string { return fmt.Sprintf("%x", sha256.Sum256(b)) }

func serve(port string, file *os.File) {
	panic(http.ListenAndServe("127.0.0.1:"+port, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		note(file, row{r.Header.Get("X-Token"), sum(body), r.Header.Get("Traceparent"), r.Header.Get("X-Request-Id")})
		io.WriteString(w, sum(body))
	})))
}

func call(url string, file *os.File, count int) {
	var all sync.WaitGroup
	for worker := 0; worker < 4; worker++ {
		all.Add(1)
		go func(worker int) {
			defer all.Done()
			client := &http.Client{Transport: &http.Transport{}}
			for i := 0; i < count/4; i++ {
				token := fmt.Sprintf("go-%d-%d-%d", os.Getpid(), worker, i)
				body := bytes.Repeat([]byte("GET / HTTP/1.1\r\n\r\n"), i*7%900)
				var reader io.Reader = bytes.NewReader(body)
				if i%3 == 1 {
					reader = io.MultiReader(reader) // of unknown length: chunks
				}
				request, _ := http.NewRequest("POST", url+"/go", reader)
				request.Header.Set("X-Token", token)
				if i%5 == 4 {
					request.Header.Set("X-Request-Id", "own-"+token)
				}
				response, err := client.Do(request)
				if err != nil {
					panic(err)
				}
				answer, _ := io.ReadAll(response.Body)
				response.Body.Close()
				if response.StatusCode != 200 || string(answer) != sum(body) {
					panic("another body arrived than was sent: " + token)
				}
				note(file, row{Token: token, Sum: sum(body), Request: request.Header.Get("X-Request-Id")})
			}
		}(worker)
	}
	all.Wait()
}

func main() {
	file, err := os.Create(os.Args[3])
	if err != nil {
		panic(err)
	}
	if os.Args[1] == "serve" {
		serve(os.Args[2], file)
	}
	bufio.NewReader(os.Stdin).ReadString('\n')
	count, _ := strconv.Atoi(os.Args[4])
	call(os.Args[2], file, count)
}
