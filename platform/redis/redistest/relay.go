package redistest

import (
	"io"
	"net"
	"strings"
	"sync"
	"testing"
)

// Relay is a line to a Redis that can be cut, to part one client from it and not others.
type Relay struct {
	listener net.Listener

	mu     sync.Mutex
	target string // empty while cut
	open   map[net.Conn]bool
}

// NewRelay makes a relay that is cut.
func NewRelay(t testing.TB) *Relay {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &Relay{listener: l, open: map[net.Conn]bool{}}
	t.Cleanup(func() { _ = l.Close(); r.Cut() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go r.serve(conn)
		}
	}()
	return r
}

// URL is where the relay listens.
func (r *Relay) URL() string { return "redis://" + r.listener.Addr().String() }

// To leads the relay to the Redis at url.
func (r *Relay) To(url string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.target = strings.TrimPrefix(url, "redis://")
}

// Cut closes all connections and refuses new ones.
func (r *Relay) Cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.target = ""
	for conn := range r.open {
		_ = conn.Close()
	}
	clear(r.open)
}

func (r *Relay) serve(client net.Conn) {
	defer func() { _ = client.Close() }()
	r.mu.Lock()
	target := r.target
	r.mu.Unlock()
	if target == "" {
		return
	}
	server, err := net.Dial("tcp", target)
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	r.mu.Lock()
	if r.target != target {
		r.mu.Unlock()
		return
	}
	r.open[client], r.open[server] = true, true
	r.mu.Unlock()
	go func() {
		_, _ = io.Copy(server, client)
		_ = server.Close()
	}()
	_, _ = io.Copy(client, server)
}
