"""Writes the reference data beside it with Hugging Face's library:

    pip install tokenizers==0.22.2 && python reference.py

characters.sha256: what happens to every Unicode scalar value in turn, hashed.
reference.jsonl:   settings, texts and their encodings.
"""
import hashlib
import json
import random

from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers, processors
from tokenizers.normalizers import BertNormalizer


def only(**on):
    keys = ["clean_text", "handle_chinese_chars", "strip_accents", "lowercase"]
    return BertNormalizer(**{k: on.get(k, False) for k in keys})


def characters():
    cut = pre_tokenizers.BertPreTokenizer()
    steps = [only(clean_text=True), only(handle_chinese_chars=True), only(strip_accents=True), only(lowercase=True)]
    h = hashlib.sha256()
    for c in range(0x110000):
        if 0xD800 <= c < 0xE000:
            continue
        line = [s.normalize_str("a" + chr(c) + "b") for s in steps]
        line.append(str(len(cut.pre_tokenize_str("a" + chr(c) + "b"))))
        h.update(("\t".join(line) + "\n").encode())
    return h.hexdigest()


SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
ODD = [
    0x0, 0x9, 0xA, 0xD, 0x85, 0xA0, 0xAD, 0xC9, 0xDF, 0xE9, 0x130, 0x131, 0x301, 0x307, 0x316, 0x323, 0x334, 0x340,
    0x344, 0x345, 0x37E, 0x387, 0x3A3, 0x3C2, 0x5B0, 0x622, 0x627, 0x64B, 0x653, 0x8D4, 0x93C, 0x958, 0xCCB, 0xDDD,
    0xF71, 0xF73, 0xF81, 0x1100, 0x1161, 0x11A8, 0x1ABF, 0x1B44, 0x1E9E, 0x1EC7, 0x1FEF, 0x2000, 0x200B, 0x200D,
    0x2019, 0x2028, 0x2126, 0x212B, 0x3000, 0x302E, 0x302F, 0x304C, 0x3099, 0x4E2D, 0xA953, 0xAC01, 0xD7A3, 0xF900,
    0xFEFF, 0xFFFD, 0x1109A, 0x11938, 0x1D15E, 0x1D160, 0x1D165, 0x1D16D, 0x1E000, 0x1E944, 0x1F468, 0x1F600, 0x2B820,
    0x2F800,
]


def vocabulary():
    tokens = list(SPECIAL) + [c for c in "ab.,!#-'"] + ["the", "foo", "sad", "##ing", "##ab", "##lon", "new"]
    single = set("abcdefghijklmnopqrstuvwxyzABCDEN0123456789")
    nfd = only(strip_accents=True)
    for c in ODD:
        for s in (chr(c), chr(c).lower(), nfd.normalize_str(chr(c))):
            single.update(x for x in s if x.strip() and x != "\ufffd")
    single -= {chr(0xDF), chr(0x1E9E)}  # unknown in any vocabulary here
    for x in sorted(single):
        tokens += [x, "##" + x]
    return {t: i for i, t in enumerate(dict.fromkeys(tokens))}


def text(rng):
    words = ["the", "sad", "fooing", "Feeling", "ab", "lone", "don't", "5-10", "xyz"]
    added = SPECIAL + ["[mask]", "<x>", "Néw", "new", "foo", "[CLS", "##ing"]
    out = []
    for _ in range(rng.randint(0, 10)):
        k = rng.random()
        if k < 0.3:
            out.append(rng.choice(words))
        elif k < 0.7:
            out.append(chr(rng.choice(ODD)))
        elif k < 0.82:
            out.append(rng.choice(added))
        elif k < 0.85:
            out.append(rng.choice("abé") * rng.randint(98, 102))
        else:
            out.append(rng.choice([" ", "  ", "\t", ", ", "\n"]))
    return "".join(out)


def flat(tok, e):
    """The tokens are the vocabulary's, not the text that was unknown or had spaces around it."""
    return {"ids": e.ids, "type_ids": e.type_ids, "mask": e.attention_mask,
            "offsets": [x for o in e.offsets for x in o], "tokens": [tok.id_to_token(i) for i in e.ids]}


def main():
    rng = random.Random(2025)
    vocab = vocabulary()
    lines = []
    for n in range(24):
        normalizer = {"clean_text": n % 2 == 0, "handle_chinese_chars": n // 2 % 2 == 0,
                      "lowercase": n // 4 % 2 == 0, "strip_accents": [None, True, False][n // 8]}
        tok = Tokenizer(models.WordPiece(vocab, unk_token="[UNK]", max_input_chars_per_word=100))
        tok.normalizer = BertNormalizer(**normalizer)
        tok.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        tok.post_processor = processors.BertProcessing(("[SEP]", vocab["[SEP]"]), ("[CLS]", vocab["[CLS]"]))
        tok.add_special_tokens([AddedToken(t, normalized=False, lstrip=t == "[MASK]" and n % 5 == 0) for t in SPECIAL])
        if n % 3:
            tok.add_tokens([
                AddedToken("<x>", normalized=False, lstrip=bool(n & 1), rstrip=bool(n & 2)),
                AddedToken("Néw", normalized=True, single_word=bool(n & 1), lstrip=bool(n & 4)),
                AddedToken("foo", normalized=True, single_word=bool(n & 2), rstrip=bool(n & 8)),
            ])
        lines.append({"tokenizer": json.loads(tok.to_str())})
        if n:  # the vocabulary is the first one's
            del lines[-1]["tokenizer"]["model"]["vocab"]
        for _ in range(24):
            s = text(rng)
            lines.append({"text": s, **flat(tok, tok.encode(s))})
        for _ in range(12):
            a, b = text(rng), text(rng) or "."
            case = {"a": a, "b": b, "truncation": rng.choice(["longest_first", "only_first", "only_second"]),
                    "max_length": rng.randint(3, 24)}
            tok.enable_truncation(case["max_length"], strategy=case["truncation"])
            tok.enable_padding(length=case["max_length"], pad_id=vocab["[PAD]"], pad_token="[PAD]")
            try:
                case.update(flat(tok, tok.encode(a, b)))
            except Exception as e:
                case["error"] = str(e)
            tok.no_truncation()
            tok.no_padding()
            lines.append(case)
    with open("reference.jsonl", "w") as f:
        f.writelines(json.dumps(line) + "\n" for line in lines)
    with open("characters.sha256", "w") as f:
        f.write(characters() + "\n")


if __name__ == "__main__":
    main()
