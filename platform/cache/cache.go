// Package cache keeps in memory, for a short time, what was made for many and is the same
// for all of them: pages of a shop, lists of its products. In Redis the replicas share it.
package cache

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

// Sized is what a Cache can keep: something that knows how much memory it takes.
type Sized interface{ Size() int }

// Cache keeps what is the same for everyone for a short time. Whatever a thing is made of
// is part of its key, including the revision of its store, so that a change makes a new
// one; the time is for what changes without a revision, and for one that was never told.
type Cache[V Sized] struct {
	// Looked is told each look-up, for metrics; may be nil.
	Looked func(hit bool)

	// Beside keeps things for the other replicas too; nil keeps none. A thing is written by
	// Write, which gives nil for one that is not to be shared, and read by Read.
	Beside *Shared
	Write  func(V) []byte
	Read   func([]byte) (V, error)

	life  time.Duration
	bytes int
	now   func() time.Time

	flight singleflight.Group

	mu   sync.Mutex
	size int
	held map[string]held[V]
}

type held[V Sized] struct {
	value V
	size  int
	until time.Time
}

// New makes a cache that keeps things for so long, and so many bytes of them.
func New[V Sized](life time.Duration, bytes int) *Cache[V] {
	return &Cache[V]{life: life, bytes: bytes, now: time.Now, held: map[string]held[V]{}}
}

// makeTime bounds making a thing, for nobody in particular waits for it.
const makeTime = 10 * time.Second

// Get is the thing under key, kept or made now. Many who ask for the same at the same
// time wait for one making. Errors are not kept.
func (c *Cache[V]) Get(ctx context.Context, key string, make func(context.Context) (V, error)) (V, error) {
	var none V
	if v, ok := c.find(key); ok {
		c.looked(true)
		return v, nil
	}
	c.looked(false)
	answers := c.flight.DoChan(key, func() (_ any, err error) {
		// Nobody is above us who would survive a panic.
		defer func() {
			if fault := recover(); fault != nil {
				err = fmt.Errorf("panic while making %q: %v\n%s", key, fault, debug.Stack())
			}
		}()
		// One visitor's leaving must not take it from the others who wait.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), makeTime)
		defer cancel()
		began := c.now() // before reading, for what is read may be old by the time it is kept
		if v, until, ok := c.beside(ctx, key); ok {
			c.keep(key, v, earlier(until, began.Add(c.life)))
			return v, nil
		}
		v, err := make(ctx)
		if err != nil {
			return nil, err
		}
		c.keep(key, v, began.Add(c.life))
		if c.Beside != nil {
			if thing := c.Write(v); thing != nil {
				c.Beside.set(ctx, key, thing, began.Add(c.life))
			}
		}
		return v, nil
	})
	select {
	case <-ctx.Done():
		return none, ctx.Err()
	case a := <-answers:
		if a.Err != nil {
			return none, a.Err
		}
		return a.Val.(V), nil
	}
}

// beside is the thing under key as another replica has made it.
func (c *Cache[V]) beside(ctx context.Context, key string) (v V, until time.Time, ok bool) {
	if c.Beside == nil {
		return v, until, false
	}
	thing, until, ok := c.Beside.get(ctx, key)
	if !ok {
		return v, until, false
	}
	v, err := c.Read(thing)
	return v, until, err == nil
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// Len is how many things are kept.
func (c *Cache[V]) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.held)
}

func (c *Cache[V]) looked(hit bool) {
	if c.Looked != nil {
		c.Looked(hit)
	}
}

func (c *Cache[V]) find(key string) (v V, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	h, ok := c.held[key]
	if !ok || !c.now().Before(h.until) {
		return v, false
	}
	return h.value, true
}

func (c *Cache[V]) keep(key string, v V, until time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	size := v.Size() + len(key)
	c.drop(key)
	if c.size+size > c.bytes {
		c.sweep(size)
	}
	c.held[key] = held[V]{v, size, until}
	c.size += size
}

// sweep makes room: first of what is too old, then of whatever comes.
func (c *Cache[V]) sweep(room int) {
	for key, h := range c.held {
		if !c.now().Before(h.until) {
			c.drop(key)
		}
	}
	for key := range c.held {
		if c.size+room <= c.bytes {
			return
		}
		c.drop(key)
	}
}

func (c *Cache[V]) drop(key string) {
	if h, ok := c.held[key]; ok {
		c.size -= h.size
		delete(c.held, key)
	}
}
