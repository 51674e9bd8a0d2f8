package bench

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// connections is how many clients ask at once, each waiting for its answer before it
// asks again.
const connections = 8

// A target is something that answers the same request again and again.
type target struct {
	name    string
	addr    string // host:port
	secure  *tls.Config
	host    string
	path    string
	headers func(n int64) string // of the n-th request, each line ending "\r\n"
	pid     int                  // of the process whose time is measured
}

// A round is what one stretch of load gave.
type round struct {
	rate float64       // requests a second
	cpu  time.Duration // of the process, for each request
	p99  time.Duration
}

// sent numbers all requests, so that no two are from the same client.
var sent atomic.Int64

// load asks target for as long as said.
func load(b *testing.B, t target, stretch time.Duration) round {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), stretch)
	defer cancel()
	var (
		group  sync.WaitGroup
		mu     sync.Mutex
		all    []time.Duration
		before = processTime(b, t.pid)
		began  = time.Now()
	)
	for range connections {
		group.Go(func() {
			took, err := t.ask(ctx, func() bool { return ctx.Err() == nil })
			if err != nil {
				b.Errorf("%s: %v", t.name, err)
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, took...)
		})
	}
	group.Wait()
	took, spent := time.Since(began), processTime(b, t.pid)-before
	if b.Failed() || len(all) == 0 {
		b.Fatalf("%s: no load", t.name)
	}
	slices.Sort(all)
	return round{rate: float64(len(all)) / took.Seconds(), cpu: spent / time.Duration(len(all)), p99: all[len(all)*99/100]}
}

// ask sends requests on one connection for as long as more says so, and gives what each
// took. It is no more than it must be, so that the machine is left to those who answer.
func (t target) ask(ctx context.Context, more func() bool) ([]time.Duration, error) {
	var conn net.Conn
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", t.addr)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	defer func() { _ = conn.Close() }()
	if t.secure != nil {
		conn = tls.Client(conn, t.secure)
	}
	var took []time.Duration
	from := bufio.NewReaderSize(conn, 64<<10)
	head := "GET " + t.path + " HTTP/1.1\r\nHost: " + t.host + "\r\nAccept: application/json\r\n"
	for more() {
		began := time.Now()
		request := head
		if t.headers != nil {
			request += t.headers(sent.Add(1))
		}
		if _, err := io.WriteString(conn, request+"\r\n"); err != nil {
			return nil, fmt.Errorf("send: %w", err)
		}
		response, err := http.ReadResponse(from, nil)
		if err != nil {
			return nil, fmt.Errorf("receive: %w", err)
		}
		if response.StatusCode != http.StatusOK {
			body, _ := io.ReadAll(response.Body)
			return nil, fmt.Errorf("answered %s: %s", response.Status, body)
		}
		if _, err := io.Copy(io.Discard, response.Body); err != nil {
			return nil, fmt.Errorf("receive: %w", err)
		}
		_ = response.Body.Close() // read to its end
		took = append(took, time.Since(began))
	}
	return took, nil
}

// once gives the body of a single answer.
func (t target) once(b *testing.B) string {
	b.Helper()
	request, err := http.NewRequest(http.MethodGet, "http://"+t.addr+t.path, nil)
	if err != nil {
		b.Fatal(err)
	}
	request.Host = t.host
	if t.headers != nil {
		for line := range strings.SplitSeq(strings.TrimSpace(t.headers(sent.Add(1))), "\r\n") {
			name, value, _ := strings.Cut(line, ": ")
			request.Header.Set(name, value)
		}
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		b.Fatalf("%s: %s %v: %s", t.name, response.Status, err, body)
	}
	return string(body)
}

// processTime is the processor time that a process has taken so far, of its own and the
// kernel's on its behalf.
func processTime(b *testing.B, pid int) time.Duration {
	b.Helper()
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		b.Fatal(err)
	}
	// Fields 14 and 15, counted from the state, which follows the name in parentheses.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	user, err := strconv.ParseInt(fields[11], 10, 64)
	if err != nil {
		b.Fatal(err)
	}
	system, err := strconv.ParseInt(fields[12], 10, 64)
	if err != nil {
		b.Fatal(err)
	}
	const tick = 10 * time.Millisecond // USER_HZ, the same on all of Linux
	return time.Duration(user+system) * tick
}
