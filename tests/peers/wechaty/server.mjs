// The real PuppetServer of wechaty-puppet-service, with a puppet that keeps what is done to it.
//
// node server.mjs <home of the packages> <port> <token> <tls|plain>: a line of JSON in is a deed of somebody in the
// room (or of the puppet itself), a line out is what was done (`done`), said (`said`) or went wrong (`error`).
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import path from 'node:path'
import readline from 'node:readline'

const [home, port, token, how] = process.argv.slice(2)
const fromHome = createRequire(path.join(path.resolve(home), 'package.json'))
const load = async name => import(pathToFileURL(fromHome.resolve(name)).href)

const PUPPET = await load('wechaty-puppet')
const { PuppetMock, mock } = await load('wechaty-puppet-mock')
const { PuppetServer } = await load('wechaty-puppet-service')

const out = line => process.stdout.write(JSON.stringify(line) + '\n')
const aliases = new Map()
const announcements = new Map()
const locations = new Map()
const urls = new Map()
const recalled = new Set()
const trouble = new Map()

const mocker = new mock.Mocker()
const room = id => mocker.RoomMock.load(id)
const person = id => mocker.ContactMock.load(id)

class Stateful extends PuppetMock {
  async _meets (call) {
    const what = trouble.get(call)
    if (what === 'hang') await new Promise(() => {})
    if (what) throw new Error(what)
  }

  async roomMemberRawPayload (roomId, id) {
    await this._meets('roomMemberPayload')
    const { avatar, name } = await this.contactRawPayload(id)
    return { avatar, id, name, roomAlias: aliases.get(`${roomId}/${id}`) ?? '' }
  }

  async roomMemberList (roomId) {
    await this._meets('roomMemberList')
    return [...mocker.roomPayload(roomId).memberIdList]
  }

  async roomDel (roomId, id) {
    await this._meets('roomDel')
    if (!mocker.roomPayload(roomId).memberIdList.includes(id)) throw new Error('not a member')
    room(roomId).remove(person(id)).by(person(this.currentUserId))
    out({ done: 'removed', room: roomId, id })
  }

  async roomTopic (roomId, topic) {
    if (topic === undefined) return mocker.roomPayload(roomId).topic
    room(roomId).topic(topic).by(person(this.currentUserId))
  }

  async roomAnnounce (roomId, text) {
    await this._meets('roomAnnounce')
    if (text === undefined) return announcements.get(roomId) ?? ''
    announcements.set(roomId, text)
    out({ done: 'announced', room: roomId, text })
  }

  ding (data) { this.emit('dong', { data: data ?? '' }) }

  async messageRecall (id) {
    await this._meets('messageRecall')
    recalled.add(id)
    out({ done: 'recalled', id })
    return true
  }

  async messageLocation (id) {
    if (!locations.has(id)) throw new Error('no such location')
    return locations.get(id)
  }

  async messageUrl (id) {
    if (!urls.has(id)) throw new Error('no such link')
    return urls.get(id)
  }

  async _sent (to, what, mentions) {
    await this._meets('messageSend')
    if (!this.isLoggedIn) throw new Error('not logged in')
    let id = ''
    const hears = payload => { id = payload.messageId }
    this.once('message', hears)
    person(this.currentUserId).say(what).to(/@/.test(to) ? room(to) : person(to))
    await new Promise(resolve => setImmediate(resolve))
    this.off('message', hears)
    out({ said: typeof what === 'string' ? what : what.name, to, mentions: mentions ?? [], id })
    return id
  }

  async messageSendText (to, text, mentions) { return this._sent(to, text, mentions) }
  async messageSendFile (to, file) { return this._sent(to, file) }
}

const puppet = new Stateful({ mocker })
puppet.on('error', () => {})
const server = new PuppetServer({
  endpoint: `127.0.0.1:${port}`,
  puppet,
  token,
  ...(how === 'plain' ? { tls: { disable: true } } : {}),
})
await server.start()

let count = 0
const post = ({ from, to, type = PUPPET.types.Message.Text, text = '', mentions = [], id }) => {
  const made = mocker.MessageMock.create({
    id: id ?? `m${++count}`,
    talkerId: from,
    ...(/@/.test(to) ? { roomId: to } : { listenerId: to }),
    text,
    type,
    mentionIdList: mentions,
    timestamp: Date.now(),
  })
  puppet.emit('message', { messageId: made.id })
  return made.id
}
const kinds = PUPPET.types.Message
const deeds = {
  person: ({ id, name, friend = true }) => mocker.createContact({ id, name, alias: '', friend }).id,
  room: ({ id, topic, owner, admins = [], members }) =>
    mocker.createRoom({ id, topic, ownerId: owner, adminIdList: admins, memberIdList: members }).id,
  login: ({ id }) => { mocker.login(person(id)) },
  logout: async () => { await puppet.logout('bye') },
  post,
  burst: ({ from, to, text, times }) => { for (let n = 0; n < times; n++) post({ from, to, text: `${text} ${n}` }) },
  flood: ({ to, said }) => { for (const [from, id, text] of said) post({ from, to, id, text }) },
  place: ({ from, to, latitude, longitude, name = '', address = '' }) => {
    const id = `m${++count}`
    locations.set(id, { accuracy: 15, address, latitude, longitude, name })
    return post({ from, to, type: kinds.Location, id })
  },
  packet: ({ from, to }) => post({ from, to, type: kinds.RedEnvelope }),
  recall: ({ from, to, message }) => post({ from, to, type: kinds.Recalled, text: message }),
  link: ({ from, to, url, title }) => {
    const id = `m${++count}`
    urls.set(id, { url, title })
    return post({ from, to, type: kinds.Url, id })
  },
  join: ({ room: id, who, by }) => { room(id).add(...who.map(person)).by(person(by)) },
  leave: ({ room: id, who, by }) => { room(id).remove(...who.map(person)).by(person(by ?? who[0])) },
  slip: ({ room: id, who }) => {
    const payload = mocker.roomPayload(id)
    payload.memberIdList = payload.memberIdList.filter(one => one !== who)
  },
  topic: ({ room: id, text, by }) => { room(id).topic(text).by(person(by)) },
  alias: async ({ room: id, who, text }) => {
    aliases.set(`${id}/${who}`, text)
    await puppet.dirtyPayload(PUPPET.types.Payload.RoomMember, id)
  },
  emit: ({ event, payload }) => { puppet.emit(event, payload) },
  trouble: ({ call, what }) => { what ? trouble.set(call, what) : trouble.delete(call) },
  recalled: () => [...recalled],
  reset: async () => {
    if (puppet.isLoggedIn) await puppet.logout('reset')
    for (const one of [mocker.ContactMock, mocker.RoomMock, mocker.MessageMock]) one.pool.clear()
    for (const name of ['Contact', 'Message', 'Room', 'FileBox']) mocker[`cache${name}Payload`].clear()
    for (const name of ['contact', 'message', 'room', 'roomMember']) puppet.cache[name]?.clear()
    for (const one of [aliases, announcements, locations, urls, recalled, trouble]) one.clear()
    count = 0
  },
}

for await (const line of (out({ ready: true }), readline.createInterface({ input: process.stdin }))) {
  const { do: name, ...rest } = JSON.parse(line)
  try {
    out({ done: name, gave: (await deeds[name](rest)) ?? null })
  } catch (error) {
    out({ error: String(error), done: name })
  }
}
process.exit(0)
