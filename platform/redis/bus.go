package redis

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

const (
	// heartbeatEvery is the pause between two proofs of life.
	heartbeatEvery = 100 * time.Millisecond
	// aliveFor is how long a proof of life holds.
	aliveFor = 400 * time.Millisecond
	// silentFor is how long a replica that fell silent may still be there, unable to
	// reach Redis; after that it is taken to have ended.
	silentFor = 30 * time.Second
	// maxUntold bounds what waits to be told; beyond it everybody is told to forget all.
	maxUntold = 4096
)

// Bus is the channel on which replicas tell each other what changed: revocations and
// what is to be forgotten. Redis' channels promise nothing, so the bus proves itself:
//
//   - Each replica sends a heartbeat. Its own, received back, proves that all that was
//     told before that heartbeat was sent has arrived here, for a channel keeps its order.
//   - A replica with something it could not tell sends no heartbeats. The others know it
//     by its former ones, and while it is silent take the channel for dead. A replica
//     that closes says so; one that was killed keeps it dead for half a minute, which
//     costs only that memories are short (see Memory).
//   - Each gap begins a new epoch. What was remembered in an earlier one is not
//     trusted, since its revocation may have gone unheard in the gap.
//
// So what a replica remembers by a Mark is out of date for at most 400 ms after the
// revocation, or else is not taken for fresh. The one that remains is a replica that has
// never reached Redis while others do: of it nobody knows, and for it Memory has a
// longest time.
type Bus struct {
	client  *Client
	id      string
	channel string
	started time.Time // origin of all times below, by the monotonic clock

	// horizon is the oldest of all proofs that must hold: the last own heartbeat that
	// came back, and the last one of each other replica. Nanoseconds since started.
	horizon atomic.Int64
	epoch   atomic.Uint64

	mu      sync.Mutex
	proof   time.Duration            // when the last own heartbeat that came back was sent
	members map[string]time.Duration // when each other replica was last heard
	untold  []string

	topics sync.Map // topic → *topic

	cancel context.CancelFunc
	done   sync.WaitGroup
}

// Mark is an instant of the bus, to be taken before reading what is to be remembered.
// The zero Mark is never fresh.
type Mark struct {
	epoch uint64
	alive bool
}

type topic struct {
	mu       sync.RWMutex
	handlers map[*func(string)]bool
}

// unproven is a horizon that no instant is near.
const unproven = math.MinInt64 / 2

// OpenBus joins the channel. It does not wait for Redis.
func OpenBus(client *Client) *Bus {
	ctx, cancel := context.WithCancel(context.Background())
	b := &Bus{
		client:  client,
		id:      rand.Text(),
		channel: client.Key("bus"),
		started: time.Now(),
		proof:   unproven,
		members: map[string]time.Duration{},
		cancel:  cancel,
	}
	b.horizon.Store(unproven)
	b.epoch.Store(1)
	b.done.Go(func() { b.listen(ctx) })
	b.done.Go(func() { b.beat(ctx) })
	return b
}

// Close leaves the channel.
func (b *Bus) Close() {
	b.cancel()
	b.done.Wait()
	b.mu.Lock()
	told := len(b.untold) == 0
	b.mu.Unlock()
	if told {
		_ = b.send(context.Background(), "bye "+b.id) // unheard it only costs the others short memories
	}
	b.horizon.Store(unproven)
}

// Alive says whether all that was told until 400 ms ago is known to have arrived.
func (b *Bus) Alive() bool {
	return b.now()-time.Duration(b.horizon.Load()) < aliveFor
}

// Mark takes the present instant.
func (b *Bus) Mark() Mark {
	epoch := b.epoch.Load() // before asking whether it is alive, so that a gap in between spoils the mark
	return Mark{epoch: epoch, alive: b.Alive()}
}

// Fresh says whether the channel is proven to have worked from m until now, so that what
// was read after m and not revoked on the bus since still holds.
func (b *Bus) Fresh(m Mark) bool {
	return m.alive && b.Alive() && b.epoch.Load() == m.epoch
}

// Subscribe has handle called with each payload of a topic, those of this replica
// included. handle must be quick, and bear the same payload twice. The bus calls it
// for one payload at a time, and Publish calls it directly; so it can run in parallel.
func (b *Bus) Subscribe(name string, handle func(payload string)) (cancel func()) {
	found, _ := b.topics.LoadOrStore(name, &topic{handlers: map[*func(string)]bool{}})
	t := found.(*topic)
	t.mu.Lock()
	t.handlers[&handle] = true
	t.mu.Unlock()
	return func() {
		t.mu.Lock()
		delete(t.handlers, &handle)
		t.mu.Unlock()
	}
}

// Publish tells all replicas, this one first and in any case; call it after the commit
// of what it tells of. An error means that the others are not told yet; they will be, at
// least once, and until then stop trusting the channel by themselves. So it may be logged
// and otherwise ignored. A process killed between commit and Publish falls silent, which
// makes the others distrust the channel as well.
func (b *Bus) Publish(ctx context.Context, topic, payload string) error {
	if strings.ContainsAny(topic, " \n") {
		return fmt.Errorf("publish on topic %q: blanks are not allowed", topic)
	}
	b.deliver(topic, payload)
	message := "say " + b.id + " " + topic + " " + payload
	err := b.send(ctx, message)
	if err == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.untold) >= maxUntold {
		b.untold = []string{"forget " + b.id}
	} else {
		b.untold = append(b.untold, message)
	}
	return fmt.Errorf("publish on topic %q, will be repeated: %w", topic, err)
}

// send publishes one message, whatever is known of Redis' health.
func (b *Bus) send(ctx context.Context, message string) error {
	// A caller that gives up must not leave the others untold.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), b.client.config.Quick)
	defer cancel()
	if err := b.client.bus.Publish(ctx, b.channel, message).Err(); err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return nil
}

// beat sends heartbeats, and before each what could not be told yet.
func (b *Bus) beat(ctx context.Context) {
	ticker := time.NewTicker(heartbeatEvery)
	defer ticker.Stop()
	for {
		if b.tellUntold(ctx) {
			_ = b.send(ctx, "beat "+b.id+" "+strconv.FormatInt(int64(b.now()), 10)) // not sent is not proven
		}
		b.buryMembers()
		select {
		case <-ctx.Done():
			b.tellUntold(context.WithoutCancel(ctx))
			return
		case <-ticker.C:
		}
	}
}

// tellUntold repeats what could not be told, and says whether nothing remains.
func (b *Bus) tellUntold(ctx context.Context) bool {
	for {
		b.mu.Lock()
		if len(b.untold) == 0 {
			b.mu.Unlock()
			return true
		}
		message := b.untold[0]
		b.mu.Unlock()
		if b.send(ctx, message) != nil {
			return false
		}
		b.mu.Lock()
		if len(b.untold) > 0 && b.untold[0] == message { // else it was folded into "forget"
			b.untold = b.untold[1:]
		}
		b.mu.Unlock()
	}
}

// listen receives until ctx ends, on one subscription after the other. Each is made
// anew rather than repaired, so that a gap cannot be overlooked.
func (b *Bus) listen(ctx context.Context) {
	for ctx.Err() == nil {
		b.newEpoch()
		subscription := b.client.bus.Subscribe(ctx, b.channel)
		release := context.AfterFunc(ctx, func() { _ = subscription.Close() }) // go-redis' wait does not see ctx end
		b.receive(ctx, subscription)
		release()
		_ = subscription.Close()
		select {
		case <-ctx.Done():
		case <-time.After(heartbeatEvery / 2):
		}
	}
}

// receive handles messages until the subscription fails or falls silent.
func (b *Bus) receive(ctx context.Context, subscription *goredis.PubSub) {
	subscribed := false
	for ctx.Err() == nil {
		// Heartbeats come all the time; a second without any means a dead connection.
		received, err := subscription.ReceiveTimeout(ctx, time.Second)
		if err != nil {
			return
		}
		switch m := received.(type) {
		case *goredis.Subscription:
			if subscribed {
				return // go-redis made a new connection by itself: a gap
			}
			subscribed = true
		case *goredis.Message:
			b.handle(m.Payload)
		}
	}
}

// handle takes in one message: "<verb> <sender> <rest>".
func (b *Bus) handle(message string) {
	verb, rest, _ := strings.Cut(message, " ")
	sender, rest, _ := strings.Cut(rest, " ")
	own := sender == b.id
	switch verb {
	case "say":
		if topic, payload, ok := strings.Cut(rest, " "); ok && !own { // own ones were delivered when told
			b.deliver(topic, payload)
		}
	case "forget":
		if !own {
			b.epoch.Add(1)
		}
	case "beat":
		if !own {
			b.heard(func() { b.members[sender] = b.now() })
		} else if sent, err := strconv.ParseInt(rest, 10, 64); err == nil {
			b.heard(func() { b.proof = max(b.proof, time.Duration(sent)) })
		}
	case "bye":
		b.heard(func() { delete(b.members, sender) })
	}
}

// heard changes what is proven. If the channel was not alive up to this instant, a gap
// ends here and a new epoch begins, before the new proof can make anything fresh.
func (b *Bus) heard(change func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.Alive() {
		b.epoch.Add(1)
	}
	change()
	oldest := b.proof
	for _, last := range b.members {
		oldest = min(oldest, last)
	}
	b.horizon.Store(int64(oldest))
}

// newEpoch forgets all proof.
func (b *Bus) newEpoch() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.proof = unproven
	b.horizon.Store(unproven)
	b.epoch.Add(1)
}

// buryMembers takes replicas that were silent too long to have ended.
func (b *Bus) buryMembers() {
	b.mu.Lock()
	var dead []string
	for id, last := range b.members {
		if b.now()-last > silentFor {
			dead = append(dead, id)
		}
	}
	b.mu.Unlock()
	for _, id := range dead {
		b.heard(func() { delete(b.members, id) })
	}
}

// deliver calls the topic's handlers.
func (b *Bus) deliver(name, payload string) {
	found, ok := b.topics.Load(name)
	if !ok {
		return
	}
	t := found.(*topic)
	t.mu.RLock()
	defer t.mu.RUnlock()
	for handle := range t.handlers {
		(*handle)(payload)
	}
}

// WaitAlive waits until the channel is alive, for tests and for a start that wants it.
func (b *Bus) WaitAlive(ctx context.Context) error {
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for !b.Alive() {
		select {
		case <-ctx.Done():
			return errors.Join(ErrUnavailable, ctx.Err())
		case <-ticker.C:
		}
	}
	return nil
}

func (b *Bus) now() time.Duration { return time.Since(b.started) }
