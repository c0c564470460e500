package tokenizer

import (
	"errors"
	"fmt"
)

// Strategy says which text of a pair loses tokens when both are too long.
type Strategy uint8

// The strategies, as Hugging Face's fast tokenizers define them.
const (
	LongestFirst Strategy = iota // the longer one, then both
	OnlyFirst
	OnlySecond
)

var strategyNames = [...]string{"longest_first", "only_first", "only_second"}

func (s Strategy) String() string {
	if int(s) < len(strategyNames) {
		return strategyNames[s]
	}
	return fmt.Sprintf("strategy %d", uint8(s))
}

// ParseStrategy reads a strategy's name.
func ParseStrategy(name string) (Strategy, error) {
	for i, n := range strategyNames {
		if n == name {
			return Strategy(i), nil
		}
	}
	return 0, fmt.Errorf("truncation %q is not known (allowed: longest_first, only_first, only_second)", name)
}

// ErrTooShort means that the text a strategy names cannot lose enough tokens to fit.
var ErrTooShort = errors.New("the sequence to truncate is too short to respect the maximum length")

// ErrNoSecond means that only_second was asked for without a second text.
var ErrNoSecond = errors.New("only_second needs a second text")

// truncated returns how many of the n1 and n2 tokens stay so that they are at most room.
func truncated(n1, n2 int, pair bool, room int, s Strategy) (int, int, error) {
	if room == 0 {
		return 0, 0, nil
	}
	over := n1 + n2 - room
	if over <= 0 {
		return n1, n2, nil
	}
	switch {
	case s == OnlySecond && !pair:
		return 0, 0, ErrNoSecond
	case s == OnlySecond:
		if n2 <= over {
			return 0, 0, ErrTooShort
		}
		return n1, n2 - over, nil
	case s == OnlyFirst:
		if n1 <= over {
			return 0, 0, ErrTooShort
		}
		return n1 - over, n2, nil
	case !pair:
		return room, 0, nil
	}
	short := min(n1, n2)
	long := max(short, room-short)
	if short+long > room {
		short = room / 2
		long = short + room%2
	}
	if n1 > n2 {
		return long, short, nil
	}
	return short, long, nil
}
