package catest

import (
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/miekg/dns"
)

// Names is a server of the domain name system, which knows what a test tells it.
type Names struct {
	Addr string // where it answers, over UDP and TCP

	mu      sync.Mutex
	records map[string][]dns.RR // by name, in lower case and with a point at its end
	broken  bool
}

// StartNames starts a server that knows nothing yet, for the time of a test.
func StartNames(t testing.TB) *Names {
	t.Helper()
	n := &Names{records: map[string][]dns.RR{}}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n.Addr = listener.Addr().String()
	packets, err := net.ListenPacket("udp", n.Addr)
	if err != nil {
		t.Fatal(err)
	}
	for _, server := range []*dns.Server{{Listener: listener, Handler: n}, {PacketConn: packets, Handler: n}} {
		started := make(chan struct{})
		server.NotifyStartedFunc = func() { close(started) }
		go func() { _ = server.ActivateAndServe() }() // it ends with the test
		<-started
		t.Cleanup(func() { _ = server.Shutdown() })
	}
	return n
}

// Set has a name have these records of a type, in place of those that it had.
func (n *Names) Set(t testing.TB, name, kind string, values ...string) {
	t.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	name = dns.Fqdn(name)
	var list []dns.RR
	for _, record := range n.records[name] {
		if dns.TypeToString[record.Header().Rrtype] != kind {
			list = append(list, record)
		}
	}
	for _, value := range values {
		if kind == "CNAME" {
			value = dns.Fqdn(value)
		}
		record, err := dns.NewRR(name + " 0 IN " + kind + " " + value)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, record)
	}
	n.records[name] = list
}

// Break has it answer that it cannot say, or no more.
func (n *Names) Break(broken bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.broken = broken
}

// ServeDNS implements dns.Handler.
func (n *Names) ServeDNS(w dns.ResponseWriter, question *dns.Msg) {
	n.mu.Lock()
	defer n.mu.Unlock()
	answer := new(dns.Msg)
	answer.SetReply(question)
	switch asked := question.Question[0]; {
	case n.broken:
		answer.Rcode = dns.RcodeServerFailure
	default:
		name := strings.ToLower(asked.Name)
		if len(n.records[name]) == 0 {
			answer.Rcode = dns.RcodeNameError
		}
		for range 8 { // of aliases one after the other
			alias := ""
			for _, record := range n.records[name] {
				if kind := record.Header().Rrtype; kind == asked.Qtype || kind == dns.TypeCNAME {
					answer.Answer = append(answer.Answer, record)
				}
				if to, is := record.(*dns.CNAME); is {
					alias = to.Target
				}
			}
			if name = alias; alias == "" {
				break
			}
		}
	}
	_ = w.WriteMsg(answer) // who has left cannot be told
}
