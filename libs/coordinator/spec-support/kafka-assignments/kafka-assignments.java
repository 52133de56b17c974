// What Kafka's own assignors make of random groups: writes range-round-robin.txt and sticky.txt, which the assignors' specs
// read. To make them anew, with the jars of a Kafka 4.3 (its libs folder):
//
//     java -cp 'kafka/libs/*' kafka-assignments.java <folder>
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.*;
import java.util.concurrent.*;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.GroupSubscription;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.Subscription;
import org.apache.kafka.common.*;
import org.apache.kafka.coordinator.group.api.assignor.SubscribedTopicDescriber;
import org.apache.kafka.coordinator.group.api.assignor.SubscriptionType;
import org.apache.kafka.coordinator.group.assignor.UniformAssignor;
import org.apache.kafka.coordinator.group.modern.Assignment;
import org.apache.kafka.coordinator.group.modern.GroupSpecImpl;
import org.apache.kafka.coordinator.group.modern.MemberSubscriptionAndAssignmentImpl;

class KafkaAssignments {
    static final String DIGITS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

    public static void main(String[] args) throws Exception {
        List<String> lines = new ArrayList<>();
        for (int seed = 0; seed < 60; seed++) lines.add(rangeAndRoundRobin(new Random(seed)));
        Files.write(Path.of(args[0], "range-round-robin.txt"), lines);

        lines.clear();
        for (int seed = 0; seed < 30; seed++) {
            lines.addAll(new History(new Random(seed), seed % 2 == 0, 1 + seed % 6, 4 + seed % 13, 4 + seed % 11).run(20));
        }
        lines.addAll(new History(new Random(100), true, 5, 30, 40).run(35));
        lines.addAll(new History(new Random(101), false, 8, 30, 20).run(35));
        Files.write(Path.of(args[0], "sticky.txt"), lines);
        System.exit(0);
    }

    /** "<partitions of each topic> <member id>[@<instance id>]:<topics> … <owners by range> <owners by roundrobin>" */
    static String rangeAndRoundRobin(Random random) {
        List<Integer> topics = new ArrayList<>();
        int common = 1 + random.nextInt(9);
        for (int count = 1 + random.nextInt(4); topics.size() < count; ) {
            topics.add(random.nextInt(3) == 0 ? common : 1 + random.nextInt(9));
        }
        boolean alike = random.nextBoolean();
        Map<String, Subscription> members = new LinkedHashMap<>();
        List<String> shown = new ArrayList<>();
        for (int count = 1 + random.nextInt(6); members.size() < count; ) {
            String number = Integer.toHexString(random.nextInt(4096) * 16 + members.size());
            List<Integer> wanted = new ArrayList<>();
            for (int topic = 0; topic < topics.size(); topic++) if (alike || random.nextInt(3) > 0) wanted.add(topic);
            Subscription subscription = new Subscription(wanted.stream().map(topic -> "t" + topic).toList());
            boolean isStatic = random.nextInt(3) == 0;
            String instanceId = "i" + Integer.toHexString(random.nextInt(4096) * 16 + members.size());
            if (isStatic) subscription.setGroupInstanceId(Optional.of(instanceId));
            members.put("m" + number, subscription);
            shown.add("m" + number + (isStatic ? "@" + instanceId : "") + ":" + join(wanted));
        }
        List<String> ids = List.copyOf(members.keySet());
        String line = join(topics) + " " + String.join(" ", shown);
        for (ConsumerPartitionAssignor assignor : List.of(new RangeAssignor(), new RoundRobinAssignor())) {
            Map<TopicPartition, Character> owners = new HashMap<>();
            assignor.assign(cluster(topics), new GroupSubscription(members)).groupAssignment().forEach((id, assignment) ->
                assignment.partitions().forEach(partition -> owners.put(partition, DIGITS.charAt(ids.indexOf(id)))));
            line += " " + show(topics, owners);
        }
        return line;
    }

    /**
     * "# <partitions of each topic>", then a line for each change and what the assignors made of it:
     * "<change> <owners by cooperative-sticky> <owners by uniform>", the change being one of
     * "join <member> <topics>", "leave <member> -", "subscribe <member> <topics>", "partitions <topic> <count>".
     */
    static class History {
        final Random random;
        final boolean alike;
        final int mostMembers;
        final List<Integer> topics = new ArrayList<>();
        final TreeMap<Integer, TreeSet<Integer>> members = new TreeMap<>();
        Map<TopicPartition, Integer> sticky = new HashMap<>();
        Map<TopicPartition, Integer> uniform = new HashMap<>();
        final Map<Integer, Integer> generations = new HashMap<>();
        int generation = 0;
        int joined = 0;

        History(Random random, boolean alike, int topicCount, int mostMembers, int mostPartitions) {
            this.random = random;
            this.alike = alike;
            this.mostMembers = mostMembers;
            while (topics.size() < topicCount) topics.add(1 + random.nextInt(mostPartitions));
        }

        List<String> run(int steps) throws Exception {
            List<String> lines = new ArrayList<>(List.of("# " + join(topics)));
            for (int step = 0; step < steps && joined < DIGITS.length(); step++) {
                String change = change();
                try {
                    sticky = withDeadline(this::cooperativeSticky);
                    uniform = withDeadline(this::uniform);
                } catch (TimeoutException e) {
                    System.err.println("does not end: " + String.join("\n", lines) + "\n" + change);
                    break;
                }
                lines.add(change + " " + show(topics, digits(sticky)) + " " + show(topics, digits(uniform)));
            }
            return lines;
        }

        String change() {
            int kind = members.size() < 2 ? 0 : random.nextInt(10);
            if (kind < 4 && members.size() < mostMembers) {
                members.put(joined, subscription());
                return "join " + joined + " " + join(members.get(joined++));
            }
            int member = new ArrayList<>(members.keySet()).get(random.nextInt(members.size()));
            if (kind < 7) {
                members.remove(member);
                return "leave " + member + " -";
            }
            if (kind < 9 || alike) {
                int topic = random.nextInt(topics.size());
                topics.set(topic, topics.get(topic) + 1 + random.nextInt(4));
                return "partitions " + topic + " " + topics.get(topic);
            }
            members.put(member, subscription());
            return "subscribe " + member + " " + join(members.get(member));
        }

        TreeSet<Integer> subscription() {
            TreeSet<Integer> wanted = new TreeSet<>();
            for (int topic = 0; topic < topics.size(); topic++) if (alike || random.nextBoolean()) wanted.add(topic);
            if (wanted.isEmpty()) wanted.add(random.nextInt(topics.size()));
            return wanted;
        }

        /** As often as the members would join again: until nothing changes hands any more. */
        Map<TopicPartition, Integer> cooperativeSticky() {
            Map<TopicPartition, Integer> before = new HashMap<>(sticky);
            before.entrySet().removeIf(entry -> !wants(entry.getValue(), entry.getKey()));
            for (;;) {
                Map<String, Subscription> subscriptions = new HashMap<>();
                for (int member : members.keySet()) {
                    List<TopicPartition> owned = before.entrySet().stream()
                        .filter(entry -> entry.getValue() == member).map(Map.Entry::getKey).toList();
                    subscriptions.put(id(member), new Subscription(
                        members.get(member).stream().map(topic -> "t" + topic).toList(), null, owned,
                        generations.getOrDefault(member, -1), Optional.empty()));
                }
                generation++;
                Map<TopicPartition, Integer> after = new HashMap<>();
                var assigned = new CooperativeStickyAssignor()
                    .assign(cluster(topics), new GroupSubscription(subscriptions)).groupAssignment();
                for (int member : members.keySet()) {
                    generations.put(member, generation);
                    assigned.get(id(member)).partitions().forEach(partition -> after.put(partition, member));
                }
                if (after.equals(before)) return after;
                before = after;
            }
        }

        Map<TopicPartition, Integer> uniform() {
            Map<String, MemberSubscriptionAndAssignmentImpl> specs = new HashMap<>();
            Map<Uuid, Map<Integer, String>> owners = new HashMap<>();
            for (int member : members.keySet()) {
                Map<Uuid, Set<Integer>> owned = new HashMap<>();
                uniform.forEach((partition, owner) -> {
                    if (owner != member) return;
                    Uuid topicId = topicId(partition.topic());
                    owned.computeIfAbsent(topicId, key -> new HashSet<>()).add(partition.partition());
                    owners.computeIfAbsent(topicId, key -> new HashMap<>()).put(partition.partition(), id(member));
                });
                Set<Uuid> wanted = members.get(member).stream().map(topic -> topicId("t" + topic)).collect(Collectors.toSet());
                specs.put(id(member), new MemberSubscriptionAndAssignmentImpl(
                    Optional.empty(), Optional.empty(), wanted, new Assignment(owned)));
            }
            boolean same = new HashSet<>(members.values()).size() == 1;
            var group = new GroupSpecImpl(
                specs, same ? SubscriptionType.HOMOGENEOUS : SubscriptionType.HETEROGENEOUS, owners);
            var assigned = new UniformAssignor().assign(group, new SubscribedTopicDescriber() {
                public int numPartitions(Uuid topicId) {
                    return topics.get((int) topicId.getLeastSignificantBits());
                }

                public Set<String> racksForPartition(Uuid topicId, int partition) {
                    return Set.of();
                }
            }).members();
            Map<TopicPartition, Integer> after = new HashMap<>();
            for (int member : members.keySet()) {
                assigned.get(id(member)).partitions().forEach((topicId, partitions) -> partitions.forEach(partition ->
                    after.put(new TopicPartition("t" + topicId.getLeastSignificantBits(), partition), member)));
            }
            return after;
        }

        boolean wants(int member, TopicPartition partition) {
            return members.getOrDefault(member, new TreeSet<>()).contains(Integer.parseInt(partition.topic().substring(1)));
        }
    }

    /** Sorted otherwise than the members came, as real ids are. */
    static String id(int member) {
        return "m" + Long.toHexString((member * 2654435761L + 97) % (1 << 24));
    }

    static Uuid topicId(String topic) {
        return new Uuid(1, Integer.parseInt(topic.substring(1)));
    }

    static Cluster cluster(List<Integer> topics) {
        Node node = new Node(0, "localhost", 1);
        List<PartitionInfo> partitions = new ArrayList<>();
        for (int topic = 0; topic < topics.size(); topic++) {
            for (int partition = 0; partition < topics.get(topic); partition++) {
                partitions.add(new PartitionInfo("t" + topic, partition, node, new Node[] {node}, new Node[] {node}));
            }
        }
        return new Cluster("c", List.of(node), partitions, Set.of(), Set.of());
    }

    static Map<TopicPartition, Character> digits(Map<TopicPartition, Integer> owners) {
        return owners.entrySet().stream()
            .collect(Collectors.toMap(Map.Entry::getKey, entry -> DIGITS.charAt(entry.getValue())));
    }

    /** The owner of each partition, topic by topic; "-" where nobody owns it. */
    static String show(List<Integer> topics, Map<TopicPartition, Character> owners) {
        StringBuilder shown = new StringBuilder();
        for (int topic = 0; topic < topics.size(); topic++) {
            for (int partition = 0; partition < topics.get(topic); partition++) {
                shown.append(owners.getOrDefault(new TopicPartition("t" + topic, partition), '-'));
            }
        }
        return shown.toString();
    }

    static String join(Collection<Integer> numbers) {
        return numbers.stream().map(String::valueOf).collect(Collectors.joining(","));
    }

    /** The general case of cooperative-sticky does not always end. */
    static <T> T withDeadline(Callable<T> work) throws Exception {
        FutureTask<T> task = new FutureTask<>(work);
        Thread thread = new Thread(task);
        thread.setDaemon(true);
        thread.start();
        return task.get(5, TimeUnit.SECONDS);
    }
}
