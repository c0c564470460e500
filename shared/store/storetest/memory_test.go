package storetest

import (
	"testing"

	"github.com/supermax-hpo/supermax/shared/store"
)

func TestMemory(t *testing.T) {
	Run(t, func(*testing.T) (one, another store.Log) {
		m := new(Memory)
		return m, m
	})
	RunMailbox(t, func(*testing.T) (one, another store.Mailbox) {
		m := new(Memory)
		return m, m
	})
}
