package guard

import (
	"context"
	"sync"
	"time"
)

// localSize bounds what one process remembers while Redis is away. Beyond it some is
// lost, which lets a few tries more through; memory matters more then.
const localSize = 100_000

// localStore counts within the process, as begin.lua and end.lua do.
type localStore struct {
	mu    sync.Mutex
	cells map[string]cell
}

// cell is what is remembered under one name.
type cell struct {
	n       int64
	until   time.Time // for pairs
	expires time.Time
}

func newLocalStore() *localStore { return &localStore{cells: map[string]cell{}} }

func (l *localStore) begin(_ context.Context, s subject, now time.Time, c Config) (verdict, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.makeRoom(now)
	get := func(name string) cell {
		if found := l.cells[name]; found.expires.After(now) {
			return found
		}
		return cell{}
	}
	known := get(s.known).n > 0
	pair, address, account := get(s.pair), get(s.address), get(s.account)
	if wait := pair.until.Sub(now); wait > 0 {
		return verdict{wait: wait}, nil
	}
	if !known && address.n >= int64(c.AddressLimit) {
		return verdict{wait: rest(now, c.AddressWindow)}, nil
	}
	if !known {
		account.n++
		address.n++
		account.expires, address.expires = now.Add(rest(now, c.AttackWindow)), now.Add(rest(now, c.AddressWindow))
		l.cells[s.account], l.cells[s.address] = account, address
	}
	attacked := account.n > int64(c.AttackedFrom)
	pace := c.Stranger
	if known {
		pace = c.Known
	} else if attacked {
		pace = c.Attacked
	}
	pair.n++
	if over := pair.n - int64(pace.Free); over >= 0 {
		pair.until = now.Add(min(pace.Longest, pace.First<<min(over, 20)))
	}
	pair.expires = now.Add(c.PairKept)
	l.cells[s.pair] = pair
	v := verdict{attacked: attacked, known: known}
	if attacked && get(s.alarm).n == 0 {
		v.alarm = true
		l.cells[s.alarm] = cell{n: 1, expires: now.Add(c.AlarmEvery)}
	}
	return v, nil
}

func (l *localStore) end(_ context.Context, s subject, stranger, trust bool, c Config) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if trust {
		delete(l.cells, s.pair)
		l.cells[s.known] = cell{n: 1, expires: time.Now().Add(c.KnownFor)}
	} else if pair := l.cells[s.pair]; pair.n > 0 {
		pair.n--
		pair.until = time.Time{}
		l.cells[s.pair] = pair
	}
	if stranger {
		for _, name := range []string{s.address, s.account} {
			if found := l.cells[name]; found.n > 0 {
				found.n--
				l.cells[name] = found
			}
		}
	}
	return nil
}

// makeRoom drops what is over, and then anything, when there is no more room.
func (l *localStore) makeRoom(now time.Time) {
	const more = 5 // cells that an attempt adds at most
	if len(l.cells)+more <= localSize {
		return
	}
	for name, c := range l.cells {
		if !c.expires.After(now) {
			delete(l.cells, name)
		}
	}
	for name := range l.cells {
		if len(l.cells) <= localSize*9/10 {
			return
		}
		delete(l.cells, name)
	}
}
