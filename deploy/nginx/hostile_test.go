package nginx_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/stoacommerce/stoa/deploy/nginx"
)

// connect opens a connection that speaks a protocol by hand.
func connect(t *testing.T, s *nginx.Server, protocol string) *tls.Conn {
	t.Helper()
	conn, err := tls.Dial("tcp", s.HTTPS, &tls.Config{RootCAs: s.Roots, ServerName: "shops.test", NextProtos: []string{protocol}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	return conn
}

// Where a front and what is behind it differ on where a request ends, the rest of it is
// another request, of whoever comes next. Each of these is refused, or reaches the program
// as the one request that it is, without the other that is hidden in it.
func TestNoRequestHidesInAnother(t *testing.T) {
	t.Parallel()
	r := startReplica(t, "a")
	s := startNginx(t, nil, r.Addr())
	hidden := "GET /hidden HTTP/1.1\r\nHost: shops.test\r\n\r\n"
	chunked := "0\r\n\r\n" + hidden
	for name, request := range map[string]string{
		"two kinds of length":           "POST /desync HTTP/1.1\r\nHost: shops.test\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked,
		"two kinds, the other way":      fmt.Sprintf("POST /desync HTTP/1.1\r\nHost: shops.test\r\nTransfer-Encoding: chunked\r\nContent-Length: %d\r\n\r\n%s", len(chunked), chunked),
		"an unknown coding":             fmt.Sprintf("POST /desync HTTP/1.1\r\nHost: shops.test\r\nTransfer-Encoding: xchunked\r\nContent-Length: %d\r\n\r\n%s", len(chunked), chunked),
		"a coding twice":                "POST /desync HTTP/1.1\r\nHost: shops.test\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n" + chunked,
		"a list of codings":             "POST /desync HTTP/1.1\r\nHost: shops.test\r\nTransfer-Encoding: identity, chunked\r\n\r\n" + chunked,
		"a coding behind a tab":         fmt.Sprintf("POST /desync HTTP/1.1\r\nHost: shops.test\r\nTransfer-Encoding:\vchunked\r\nContent-Length: %d\r\n\r\n%s", len(chunked), chunked),
		"a space before the colon":      fmt.Sprintf("POST /desync HTTP/1.1\r\nHost: shops.test\r\nTransfer-Encoding : chunked\r\nContent-Length: %d\r\n\r\n%s", len(chunked), chunked),
		"a folded header":               fmt.Sprintf("POST /desync HTTP/1.1\r\nHost: shops.test\r\nX: a\r\n Transfer-Encoding: chunked\r\nContent-Length: %d\r\n\r\n%s", len(chunked), chunked),
		"two lengths":                   fmt.Sprintf("POST /desync HTTP/1.1\r\nHost: shops.test\r\nContent-Length: 0\r\nContent-Length: %d\r\n\r\n%s", len(hidden), hidden),
		"two lengths in one":            fmt.Sprintf("POST /desync HTTP/1.1\r\nHost: shops.test\r\nContent-Length: 0, %d\r\n\r\n%s", len(hidden), hidden),
		"a length below zero":           "POST /desync HTTP/1.1\r\nHost: shops.test\r\nContent-Length: -1\r\n\r\n" + hidden,
		"a length with a sign":          fmt.Sprintf("POST /desync HTTP/1.1\r\nHost: shops.test\r\nContent-Length: +%d\r\n\r\n%s", len(hidden), hidden),
		"a chunk of more than there is": "POST /desync HTTP/1.1\r\nHost: shops.test\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff1\r\n" + hidden,
		"a chunk of no number":          "POST /desync HTTP/1.1\r\nHost: shops.test\r\nTransfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n" + hidden,
		"a GET with a body":             fmt.Sprintf("GET /desync HTTP/1.1\r\nHost: shops.test\r\nContent-Length: %d\r\n\r\n%s", len(hidden), hidden),
		"two hosts":                     "GET /desync HTTP/1.1\r\nHost: shops.test\r\nHost: acorn.shops.test\r\n\r\n",
		"a host in the target":          "GET https://acorn.shops.test/desync HTTP/1.1\r\nHost: shops.test\r\n\r\n",
		"no host":                       "GET /desync HTTP/1.1\r\n\r\n",
		"a NUL":                         "GET /desync HTTP/1.1\r\nHost: shops.test\r\nX: a\x00b\r\n\r\n",
		"HTTP/0.9":                      "GET /desync\r\n",
	} {
		conn := connect(t, s, "http/1.1")
		if _, err := io.WriteString(conn, request); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		first, err := http.ReadResponse(bufio.NewReader(conn), nil)
		switch {
		case err != nil: // it was cut off without an answer
		case first.StatusCode == http.StatusOK:
			told := r.last()
			if told.path != "/desync" || told.host != "shops.test" && told.host != "acorn.shops.test" || len(told.coding) > 0 && told.length > 0 {
				t.Errorf("%s: the program was asked %+v", name, told)
			}
		case first.StatusCode != http.StatusBadRequest && first.StatusCode != http.StatusNotImplemented && first.StatusCode != http.StatusRequestEntityTooLarge:
			t.Errorf("%s was answered %s", name, first.Status)
		}
	}
	if others := r.others("/desync"); len(others) > 0 {
		t.Errorf("the program was asked for %+v", others)
	}
	// What comes after a whole request on the same connection is one of its own: the pipelined
	// second of those whose first was taken as it was meant. None may be another's.
	conn := connect(t, s, "http/1.1")
	fmt.Fprintf(conn, "POST /desync HTTP/1.1\r\nHost: shops.test\r\nContent-Length: 3\r\n\r\nabc%s", "GET /next HTTP/1.1\r\nHost: shops.test\r\n\r\n")
	both := bufio.NewReader(conn)
	for _, path := range []string{"/desync", "/next"} {
		answer, err := http.ReadResponse(both, nil)
		if err != nil || answer.StatusCode != http.StatusOK {
			t.Fatalf("%s: %v %v", path, answer, err)
		}
		if _, err := io.Copy(io.Discard, answer.Body); err != nil {
			t.Fatal(err)
		}
	}
}

// HTTP/2 says lengths by frames; what a header claims beside is held against them, and what
// only HTTP/1 has does not get through.
func TestHTTP2IsNotTranslatedIntoTwoRequests(t *testing.T) {
	t.Parallel()
	r := startReplica(t, "a")
	s := startNginx(t, nil, r.Addr())
	hidden := "GET /hidden HTTP/1.1\r\nHost: shops.test\r\n\r\n"
	for name, header := range map[string][2]string{
		"a length that is too short":    {"content-length", "0"},
		"a length that is too long":     {"content-length", "5000"},
		"a coding":                      {"transfer-encoding", "chunked"},
		"a line break in a value":       {"x", "a\r\ntransfer-encoding: chunked"},
		"a line break in a name":        {"x: a\r\ntransfer-encoding", "chunked"},
		"a connection header":           {"connection", "transfer-encoding"},
		"a second host":                 {"host", "acorn.shops.test"},
		"an upper-case name":            {"Transfer-Encoding", "chunked"},
		"a pseudo-header after a plain": {":path", "/hidden"},
	} {
		conn := connect(t, s, "h2")
		if _, err := io.WriteString(conn, http2.ClientPreface); err != nil {
			t.Fatal(err)
		}
		framer := http2.NewFramer(conn, conn)
		var block strings.Builder
		encoder := hpack.NewEncoder(&block)
		for _, field := range [][2]string{{":method", "POST"}, {":scheme", "https"}, {":authority", "shops.test"}, {":path", "/desync"}, {"user-agent", "test"}, header} {
			if err := encoder.WriteField(hpack.HeaderField{Name: field[0], Value: field[1]}); err != nil {
				t.Fatal(err)
			}
		}
		// What is written to a connection that was refused meanwhile is lost, which is as well.
		_ = framer.WriteSettings()
		_ = framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: []byte(block.String()), EndHeaders: true})
		_ = framer.WriteData(1, true, []byte(hidden))
		decoder := hpack.NewDecoder(4096, nil)
		for done := false; !done; {
			frame, err := framer.ReadFrame()
			if err != nil {
				break // it was cut off
			}
			switch frame := frame.(type) {
			case *http2.HeadersFrame:
				fields, err := decoder.DecodeFull(frame.HeaderBlockFragment())
				if err != nil || len(fields) == 0 {
					t.Fatalf("%s: %v %v", name, fields, err)
				}
				if status := fields[0].Value; status == "200" && (header[0] == "content-length" || strings.Contains(header[0]+header[1], "\n")) {
					t.Errorf("%s was answered %s", name, status)
				}
				done = true
			case *http2.RSTStreamFrame, *http2.GoAwayFrame:
				done = true
			}
		}
	}
	if others := r.others("/desync"); len(others) > 0 {
		t.Errorf("the program was asked for %+v", others)
	}
}

// Who sends or reads by drops holds a connection of Nginx, and nothing of the program.
func TestSlowClientsHoldNothingOfTheProgram(t *testing.T) {
	t.Parallel()
	r := startReplica(t, "a")
	s := startNginx(t, nil, r.Addr())
	began := time.Now()
	var slow []net.Conn
	for i := range 40 {
		conn := connect(t, s, "http/1.1")
		text := "GET /headers HTTP/1.1\r\nHost: shops.test\r\nX-Slow: "
		if i%2 == 0 {
			text = "POST /bodies HTTP/1.1\r\nHost: shops.test\r\nContent-Length: 1000\r\n\r\nby drops"
		}
		if _, err := io.WriteString(conn, text); err != nil {
			t.Fatal(err)
		}
		if i%2 != 0 {
			slow = append(slow, conn)
		}
	}
	c := s.Client(false)
	for range 10 {
		if answer, _ := ask(t, c, "GET", "https://shops.test/quick", ""); answer.StatusCode != http.StatusOK {
			t.Fatalf("beside slow ones, another is answered %s", answer.Status)
		}
	}
	if others := r.others("/quick"); len(others) > 0 {
		t.Errorf("the program was asked for %+v, of which nothing is whole", others)
	}
	// Headers have ten seconds, however many drops come meanwhile.
	for n, conn := range slow {
		for {
			if _, err := io.WriteString(conn, "a"); err != nil {
				break
			}
			if time.Since(began) > time.Minute {
				t.Fatalf("slow client %d is still waited for", n)
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
	if others := r.others("/quick"); len(others) > 0 {
		t.Errorf("the program was asked for %+v", others)
	}
}
