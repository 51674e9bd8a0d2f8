package domains

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// proofLabel stands before a domain where the record lies that proves whose it is.
const proofLabel = "_stoa."

// How long looking a domain up may take, and how much of what stands there is kept.
const (
	lookTime  = 8 * time.Second
	mostSeen  = 20
	mostProof = 255
)

// Seen is what was found of a domain in the domain name system.
type Seen struct {
	Proofs    []string     `json:"proofs,omitempty"`
	Addresses []netip.Addr `json:"addresses,omitempty"`
	// Unanswered says that some of it could not be looked up, so that it tells nothing.
	Unanswered bool `json:"unanswered,omitempty"`
	// Taken says that all of a claim's records are there, and so is the proof of another store
	// that is served at the domain: it stays where it is until its owner takes that one away.
	Taken bool `json:"taken,omitempty"`
}

// Look looks a domain up.
func (s *Service) Look(ctx context.Context, name string) Seen {
	var seen Seen
	if s.local(name) {
		return seen
	}
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	texts, err := s.config.Resolver.LookupTXT(ctx, proofLabel+name+".")
	seen.Unanswered = !answered(err)
	for _, text := range texts {
		if strings.HasPrefix(text, "stoa-domain=") && len(text) <= mostProof && len(seen.Proofs) < mostSeen {
			seen.Proofs = append(seen.Proofs, text)
		}
	}
	addresses, err := s.config.Resolver.LookupNetIP(ctx, "ip", name+".")
	seen.Unanswered = seen.Unanswered || !answered(err)
	for _, address := range addresses {
		if address = address.Unmap().WithZone(""); !slices.Contains(seen.Addresses, address) && len(seen.Addresses) < mostSeen {
			seen.Addresses = append(seen.Addresses, address)
		}
	}
	slices.SortFunc(seen.Addresses, netip.Addr.Compare)
	return seen
}

// answered says whether a look-up was answered, be it by there being nothing.
func answered(err error) bool {
	var failed *net.DNSError
	return err == nil || errors.As(err, &failed) && failed.IsNotFound
}

// finding is what was seen of a domain, held against what has to be there.
type finding struct {
	unknown bool // nothing can be said
	owned   bool // a record says that it is the store's
	here    bool // it leads here, and nowhere else
}

func (s *Service) find(d *Domain, seen *Seen) finding {
	switch {
	case s.local(d.Name):
		return finding{owned: true, here: true}
	case seen == nil || seen.Unanswered:
		return finding{unknown: true}
	}
	return finding{
		owned: slices.Contains(seen.Proofs, s.proof(d.StoreID, d.Name)),
		here:  len(seen.Addresses) > 0 && len(s.foreign(seen)) == 0,
	}
}

// foreign are the addresses of a domain that are not here.
func (s *Service) foreign(seen *Seen) []netip.Addr {
	return slices.DeleteFunc(slices.Clone(seen.Addresses), func(a netip.Addr) bool { return slices.Contains(s.config.Addresses, a) })
}

// How far a record is.
const (
	Unchecked = "unchecked" // nobody has looked yet, or could
	Found     = "found"
	Missing   = "missing"
	Optional  = "optional" // it is not there, and need not be as things are
)

// Record is a record that a merchant sets where the domain is administered.
type Record struct {
	Purpose string // ownership or pointing
	Type    string // TXT, CNAME, A or AAAA
	Name    string // in full
	Host    string // the same as most registrars ask for it: without the registered domain, or @
	Value   string
	State   string
}

// Records are those that have to be set for a domain, and how far they are.
func (s *Service) Records(d *Domain) []Record {
	if s.local(d.Name) {
		return nil
	}
	f := s.find(d, d.Seen)
	state := func(found, needed bool) string {
		switch {
		case f.unknown:
			return Unchecked
		case found:
			return Found
		case needed:
			return Missing
		}
		return Optional
	}
	host := func(name string) string {
		if name = strings.TrimSuffix(strings.TrimSuffix(name, zone(d.Name)), "."); name != "" {
			return name
		}
		return "@"
	}
	record := func(purpose, kind, name, value, state string) Record {
		return Record{purpose, kind, name, host(name), value, state}
	}
	list := []Record{record("ownership", "TXT", proofLabel+d.Name, s.proof(d.StoreID, d.Name), state(f.owned, !d.State.Served()))}
	if !apex(d.Name) {
		return append(list, record("pointing", "CNAME", d.Name, s.config.Target, state(f.here, true)))
	}
	for _, address := range s.config.Addresses {
		found := !f.unknown && slices.Contains(d.Seen.Addresses, address)
		list = append(list, record("pointing", kindOf(address), d.Name, address.String(), state(found, !f.here)))
	}
	return list
}

// Conflicts are the records of a domain that lead elsewhere, and have to go.
func (s *Service) Conflicts(d *Domain) []Record {
	if d.Seen == nil || s.local(d.Name) {
		return nil
	}
	var list []Record
	for _, address := range s.foreign(d.Seen) {
		list = append(list, Record{Purpose: "pointing", Type: kindOf(address), Name: d.Name, Value: address.String()})
	}
	return list
}

// Advice says in words what is left to do for a domain.
func (s *Service) Advice(d *Domain) []string {
	f, list := s.find(d, d.Seen), []string{}
	switch {
	case s.local(d.Name):
		return list
	case f.unknown && d.Seen != nil:
		return append(list, "The domain name system gave no answer about "+zone(d.Name)+". If the domain was registered just now, wait a little; else ask where it is administered.")
	case f.unknown:
		list = append(list, "Set the records where the domain is administered. They are looked up regularly, and at once if you ask for it.")
	case !f.owned && !d.State.Served():
		list = append(list, "Add the TXT record, so that it is known that the domain is yours.")
	}
	if d.Taken() {
		list = append(list, "Another store is served at this domain. Take that store’s TXT record away, or give the domain up there.")
	}
	if !f.unknown && len(d.Seen.Addresses) == 0 {
		list = append(list, "Add the other records, so that the domain leads here.")
	}
	for _, c := range s.Conflicts(d) {
		list = append(list, "Take the "+c.Type+" record "+c.Value+" away, which leads elsewhere. If it is that of a service in front of the domain, have the service leave this name alone.")
	}
	return list
}

func kindOf(address netip.Addr) string {
	if address.Is4() {
		return "A"
	}
	return "AAAA"
}
