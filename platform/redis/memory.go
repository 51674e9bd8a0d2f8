package redis

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// MemoryOptions bound a Memory.
type MemoryOptions struct {
	// Size is the greatest number of values; 10,000 when zero.
	Size int
	// Short is how long a value is trusted while the bus proves nothing; 500 ms when zero.
	Short time.Duration
	// Long is how long a value is trusted at all; a minute when zero.
	Long time.Duration
	// Looked is told each look-up, and Dropped each time that something was told to be
	// forgotten, for metrics, when not nil.
	Looked  func(hit bool)
	Dropped func()
}

// Memory remembers values that were read elsewhere, by text key. A value is trusted for
// as long as the bus is proven to have worked since before it was read and nobody told
// it to be forgotten, at most Long; else for Short. So what is forgotten on one replica
// is in force on all within half a second, with Redis up, frozen or down.
type Memory[V any] struct {
	bus     *Bus
	topic   string
	options MemoryOptions

	// forgotten counts what was told to be forgotten. A value whose reading began under
	// another count is not kept, for it may be older than the telling.
	forgotten atomic.Uint64

	mu     sync.RWMutex
	values map[string]remembered[V]
}

type remembered[V any] struct {
	value V
	mark  Mark
	read  time.Time
}

// everything is the key under which all keys are told to be forgotten.
const everything = "*"

// NewMemory makes a memory whose keys are forgotten on all replicas that have one by
// the same name. Keys must not contain a line break.
func NewMemory[V any](bus *Bus, name string, options MemoryOptions) *Memory[V] {
	if options.Size == 0 {
		options.Size = 10_000
	}
	if options.Short == 0 {
		options.Short = 500 * time.Millisecond
	}
	if options.Long == 0 {
		options.Long = time.Minute
	}
	if options.Looked == nil {
		options.Looked = func(bool) {}
	}
	if options.Dropped == nil {
		options.Dropped = func() {}
	}
	m := &Memory[V]{bus: bus, topic: "forget-" + name, options: options, values: map[string]remembered[V]{}}
	bus.Subscribe(m.topic, m.drop)
	return m
}

// Get is the value of key, remembered or read by load. Errors are not remembered.
// Several callers may load the same key at the same time.
func (m *Memory[V]) Get(ctx context.Context, key string, load func(context.Context) (V, error)) (V, error) {
	m.mu.RLock()
	r, ok := m.values[key]
	m.mu.RUnlock()
	if ok && m.trusted(r) {
		m.options.Looked(true)
		return r.value, nil
	}
	m.options.Looked(false)
	count := m.forgotten.Load()
	r = remembered[V]{mark: m.bus.Mark(), read: time.Now()} // both before reading
	value, err := load(ctx)
	if err != nil {
		return value, err
	}
	r.value = value
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.forgotten.Load() == count {
		m.makeRoom(key)
		m.values[key] = r
	}
	return value, nil
}

// Forget makes this replica and, through the bus, all others read keys anew. For an
// error see Bus.Publish: it may be logged and otherwise ignored.
func (m *Memory[V]) Forget(ctx context.Context, keys ...string) error {
	return m.bus.Publish(ctx, m.topic, strings.Join(keys, "\n"))
}

// ForgetAll makes all replicas read everything anew.
func (m *Memory[V]) ForgetAll(ctx context.Context) error {
	return m.bus.Publish(ctx, m.topic, everything)
}

// Len is the number of values held, trusted or not.
func (m *Memory[V]) Len() int {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return len(m.values)
}

func (m *Memory[V]) trusted(r remembered[V]) bool {
	age := time.Since(r.read)
	return age < m.options.Short || age < m.options.Long && m.bus.Fresh(r.mark)
}

// drop takes in what the bus tells to forget.
func (m *Memory[V]) drop(keys string) {
	m.options.Dropped()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.forgotten.Add(1)
	if keys == everything {
		clear(m.values)
		return
	}
	for key := range strings.SplitSeq(keys, "\n") {
		delete(m.values, key)
	}
}

// makeRoom drops any value when there is none left for key. Which one is left to chance:
// a value that is in use will soon be back.
func (m *Memory[V]) makeRoom(key string) {
	if _, held := m.values[key]; held || len(m.values) < m.options.Size {
		return
	}
	for other := range m.values {
		delete(m.values, other)
		return
	}
}
