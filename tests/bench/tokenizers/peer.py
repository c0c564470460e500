"""Encodes the texts of a JSON file with Hugging Face's tokenizers library, as often as its
standard input says, and answers with a line of JSON each time.

    peer.py TOKENIZER_JSON TEXTS_JSON

A line "offsets" or "ids" measures one pass: encode_batch, which finds places in the text, or
encode_batch_fast, which does not. A line "digest" hashes what encode_batch returns. How many
threads it may use is what RAYON_NUM_THREADS says.
"""
import hashlib
import json
import sys
import time
from array import array

from tokenizers import Tokenizer


def digest(encodings):
    h = hashlib.sha256()
    for e in encodings:
        for numbers in (e.ids, e.type_ids, e.attention_mask, [x for at in e.offsets for x in at]):
            h.update(array("i", numbers).tobytes())
    return h.hexdigest()


def main():
    tokenizer = Tokenizer.from_file(sys.argv[1])
    with open(sys.argv[2], encoding="utf-8") as f:
        texts = json.load(f)
    encode = {"offsets": tokenizer.encode_batch, "ids": tokenizer.encode_batch_fast}
    for line in sys.stdin:
        word = line.strip()
        if word == "digest":
            encodings = tokenizer.encode_batch(texts)
            answer = {"digest": digest(encodings), "tokens": sum(len(e) for e in encodings)}
        else:
            began = time.perf_counter()
            encodings = encode[word](texts)
            answer = {"seconds": time.perf_counter() - began}
        del encodings
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
